// The C++ wrapper: objects own what they make, errors are thrown, and exceptions come through the library.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <cnn/cnn.hpp>

#define EXPECT(condition)                                                                  \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            std::fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                  \
        }                                                                                  \
    } while (0)

template <class Function> static cnn_status status_of(Function function)
{
    try {
        function();
    } catch (const cnn::error &error) {
        EXPECT(std::strlen(error.what()) > 0);
        return error.status();
    }
    return CNN_OK;
}

static const int size = 12, count = 24;
static uint8_t memory[count][size * size * 3];

// Dark cats and light dogs.
static cnn::dataset make_dataset()
{
    std::vector<cnn::tensor> images;
    std::vector<int32_t> labels;
    for (int i = 0; i < count; i++) {
        std::memset(memory[i], i % 2 ? 180 + i : 20 + i, sizeof memory[i]);
        images.emplace_back(std::vector<int64_t>{ size, size, 3 }, memory[i], CNN_UINT8);
        labels.push_back(i % 2);
    }
    return cnn::dataset(images, labels, { "Cat", "Dog" });
}

static cnn::graph make_graph()
{
    cnn::graph g;
    cnn_node x = cnn_relu(g, cnn_conv2d(g, cnn_input(g, size, size, 3), 4, nullptr));
    cnn_dense(g, cnn_global_avg_pool(g, x), 1, nullptr);
    return g;
}

static void tensors_own_or_borrow()
{
    cnn::tensor zeros({ 2, 3 });
    EXPECT((zeros.dims() == std::vector<int64_t>{ 2, 3 }) && zeros.data()[5] == 0);
    std::vector<float> values = { 1, 2, 3 };
    cnn::tensor borrowed({ 3 }, values.data());
    cnn::tensor moved = std::move(borrowed);
    EXPECT(moved.data() == values.data() && !borrowed.get());
    EXPECT(status_of([] { cnn::tensor({ -1 }); }) == CNN_ERROR_ARGUMENT);
}

static void datasets_are_vectors_and_strings()
{
    cnn::dataset data = make_dataset();
    EXPECT(data.size() == count && data.label(1) == 1 && data.path(3) == "image 3" && data.path(count).empty());
    EXPECT((data.class_names() == std::vector<std::string>{ "Cat", "Dog" }));
    EXPECT(data.decode(3).data<uint8_t>() == memory[3]);
    auto [rest, part] = data.split(0.25, 1);
    EXPECT(rest.size() == 18 && part.size() == 6);
    EXPECT(status_of([] { cnn::dataset("/no such folder"); }) == CNN_ERROR_IO);
    bool thrown = false;
    try {
        cnn::dataset({}, { 1 }, { "Cat" });
    } catch (const std::invalid_argument &) {
        thrown = true;
    }
    EXPECT(thrown);
}

static void models_predict_and_are_saved(const std::string &file)
{
    cnn::model model(make_graph(), 1);
    EXPECT(model.summary().find("conv2d_1") != std::string::npos);
    cnn::tensor images({ 2, size, size, 3 });
    model.save(file);
    cnn::tensor first = model.predict(images), second = cnn::model(file).predict(images);
    EXPECT((first.dims() == std::vector<int64_t>{ 2, 1 }) && first.data()[1] == second.data()[1]);
    EXPECT(status_of([&] { model.predict(cnn::tensor({ 2, 3 })); }) == CNN_ERROR_SHAPE);
    EXPECT(cnn_graph_node_count(cnn::graph("two_conv")) > 5);
}

static void a_classifier_learns_and_is_the_same_from_its_file(const std::string &file)
{
    cnn::dataset data = make_dataset();
    cnn::classifier pets(make_graph());
    cnn::train_options options;
    cnn_optimizer_options optimizer = cnn::defaults(cnn_optimizer_options_init);
    optimizer.learning_rate = 0.05f;
    options->optimizer = &optimizer;
    options->epochs = 20;
    options->batch_size = 6;
    unsigned steps = 0, epochs = 0;
    options.on_step = [&](const cnn_progress &) { return ++steps > 1000; };
    options.on_epoch = [&](const cnn_epoch &epoch) { return (epochs = epoch.epoch) == 15; };
    pets.fit(data, options, data);
    EXPECT(epochs == 15 && steps >= 4 * 15);
    EXPECT(pets.evaluate(data).accuracy == 1);
    pets.save(file);
    cnn::classifier again = cnn::classifier::load(file);
    cnn::prediction a = pets.predict(data.decode(1)), b = again.predict(data.decode(1));
    EXPECT(a.label == "Dog" && a.probability == b.probability && a.error.empty());
    EXPECT(a.probabilities.size() == 2 && a.probabilities[1] == a.probability);
    std::vector<cnn::prediction> many = again.predict_files({ file, "/no such file" });
    EXPECT(many.size() == 2 && many[0].status == CNN_ERROR_FORMAT && many[1].status == CNN_ERROR_IO);
    EXPECT(many[1].error.find("no such file") != std::string::npos && many[1].label.empty());
    EXPECT(again.predict_files({}).empty());
    EXPECT(status_of([&] { again.predict(file); }) == CNN_ERROR_FORMAT);
}

static void an_exception_in_a_callback_comes_out_of_the_training()
{
    cnn::dataset data = make_dataset();
    cnn::classifier pets(make_graph());
    cnn::train_options options;
    options.on_step = [](const cnn_progress &) -> bool { throw std::length_error("enough"); };
    bool thrown = false;
    try {
        pets.fit(data, options, data);
    } catch (const std::length_error &error) {
        thrown = std::string(error.what()) == "enough";
    }
    EXPECT(thrown);
}

int main()
{
    const char *folder = std::getenv("TMPDIR");
    std::string file = std::string(folder ? folder : "/tmp") + "/cnn-test-XXXXXX";
    int descriptor = mkstemp(file.data());
    EXPECT(descriptor >= 0);
    tensors_own_or_borrow();
    datasets_are_vectors_and_strings();
    models_predict_and_are_saved(file);
    a_classifier_learns_and_is_the_same_from_its_file(file);
    an_exception_in_a_callback_comes_out_of_the_training();
    std::remove(file.c_str());
    return 0;
}
