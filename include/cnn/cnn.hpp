// libcnn for C++17: objects that free what they own, exceptions, strings and vectors. docs/cpp.md has programs.
//
//     cnn::dataset photos("PetImages");
//     cnn::classifier pets("two_conv");
//     pets.fit(photos);
//     pets.save("pets.safetensors");
//     cnn::prediction p = pets.predict("photo.jpg");
//
// An object converts to the pointer that the C functions take, so that you can call all of them:
// cnn_relu(graph, cnn_conv2d(graph, x, 32, nullptr)). Pass a status that they return to cnn::check, which throws its
// error. What holds for the C functions (cnn.h) also holds here: threads, shapes, who owns memory.
#ifndef CNN_CNN_HPP
#define CNN_CNN_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <cnn/cnn.h>

namespace cnn
{

/// Thrown for a status other than CNN_OK. what() is the library's sentence for it.
class error : public std::runtime_error
{
  public:
    explicit error(cnn_status status) : std::runtime_error(cnn_last_error()), status_(status) {}
    cnn_status status() const noexcept { return status_; }

  private:
    cnn_status status_;
};

/// Throws the error of a status, unless it is CNN_OK.
inline void check(cnn_status status)
{
    if (status != CNN_OK)
        throw error(status);
}

/// Returns options with their defaults: auto options = cnn::defaults(cnn_image_options_init);
template <class T> T defaults(void (*init)(T *))
{
    T options;
    init(&options);
    return options;
}

/// Owns what cnn_X_create makes. It can be moved, but not copied.
template <class T, void (*destroy)(T *)> class handle
{
  public:
    handle() = default;
    explicit handle(T *pointer) : pointer_(pointer) {}
    T *get() const noexcept { return pointer_.get(); }
    operator T *() const noexcept { return pointer_.get(); }
    /// Calls `create` with these arguments, and owns what it makes; what was owned before is destroyed.
    template <class Function, class... Arguments> void make(Function create, Arguments... arguments)
    {
        T *made = nullptr;
        check(create(arguments..., &made));
        pointer_.reset(made);
    }

  private:
    struct deleter {
        void operator()(T *pointer) const noexcept { destroy(pointer); }
    };
    std::unique_ptr<T, deleter> pointer_;
};

/// The pointers to strings that the C functions take; valid as long as the strings.
inline std::vector<const char *> pointers(const std::vector<std::string> &strings)
{
    std::vector<const char *> found;
    for (const std::string &string : strings)
        found.push_back(string.c_str());
    return found;
}

class tensor : public handle<cnn_tensor, cnn_tensor_destroy>
{
  public:
    using handle::handle;
    /// A tensor of zeros.
    explicit tensor(const std::vector<int64_t> &dims, cnn_dtype dtype = CNN_FLOAT32)
    {
        make(cnn_tensor_create, nullptr, dtype, static_cast<int32_t>(dims.size()), dims.data());
    }
    /// A tensor over memory that the caller keeps, and that must outlive it.
    tensor(const std::vector<int64_t> &dims, void *memory, cnn_dtype dtype = CNN_FLOAT32)
    {
        make(cnn_tensor_wrap, nullptr, dtype, static_cast<int32_t>(dims.size()), dims.data(), memory);
    }

    std::vector<int64_t> dims() const
    {
        std::vector<int64_t> found;
        for (int32_t axis = 0; axis < cnn_tensor_rank(get()); axis++)
            found.push_back(cnn_tensor_dim(get(), axis));
        return found;
    }
    template <class T = float> T *data() const { return static_cast<T *>(cnn_tensor_data(get())); }
};

class dataset : public handle<cnn_dataset, cnn_dataset_destroy>
{
  public:
    using handle::handle;
    explicit dataset(const std::string &path, cnn_part part = CNN_PART_AUTO)
    {
        auto options = defaults(cnn_dataset_options_init);
        options.part = part;
        make(cnn_dataset_open, nullptr, path.c_str(), &options);
    }
    /// Images in memory, height × width × 3 bytes each, with their class indices. The elements' memory must outlive the
    /// dataset.
    dataset(const std::vector<tensor> &images, const std::vector<int32_t> &labels,
            const std::vector<std::string> &names)
    {
        if (labels.size() != images.size())
            throw std::invalid_argument("cnn::dataset: there must be a label for each image");
        std::vector<const cnn_tensor *> tensors(images.begin(), images.end());
        make(cnn_dataset_create_from_pixels, nullptr, tensors.data(), labels.data(), uint64_t(images.size()),
             pointers(names).data(), static_cast<uint32_t>(names.size()));
    }

    uint64_t size() const { return cnn_dataset_count(get()); }
    int32_t label(uint64_t index) const { return cnn_dataset_label(get(), index); }
    /// "" past the last image.
    std::string path(uint64_t index) const
    {
        const char *found = cnn_dataset_path(get(), index);
        return found ? found : "";
    }
    std::vector<std::string> class_names() const
    {
        std::vector<std::string> names;
        while (const char *name = cnn_dataset_class_name(get(), static_cast<uint32_t>(names.size())))
            names.emplace_back(name);
        return names;
    }
    tensor decode(uint64_t index) const
    {
        tensor pixels;
        pixels.make(cnn_dataset_decode, get(), index, nullptr);
        return pixels;
    }
    /// Splits off a fraction of each class: returns the rest, and the part that was split off.
    std::pair<dataset, dataset> split(double fraction, uint64_t seed = 0) const
    {
        cnn_dataset *rest = nullptr, *part = nullptr;
        check(cnn_dataset_split(get(), fraction, seed, &rest, &part));
        return { dataset(rest), dataset(part) };
    }
};

class graph : public handle<cnn_graph, cnn_graph_destroy>
{
  public:
    graph() { make(cnn_graph_create, nullptr); }
    /// The network with this name: cnn_net_options lists them.
    explicit graph(const std::string &net, const cnn_net_options *options = nullptr)
    {
        make(cnn_graph_create_net, nullptr, net.c_str(), options);
    }
};

class model : public handle<cnn_model, cnn_model_destroy>
{
  public:
    explicit model(const graph &net, uint64_t seed = 0) { make(cnn_model_create, nullptr, net.get(), seed); }
    explicit model(const std::string &path) { make(cnn_model_load, nullptr, path.c_str()); }

    void save(const std::string &path) const { check(cnn_model_save(get(), path.c_str())); }
    std::string summary() const
    {
        char *text = nullptr;
        check(cnn_model_summary(get(), &text));
        return std::unique_ptr<char, void (*)(char *)>(text, cnn_text_free).get();
    }
    /// Computes the outputs of N images: N × height × width × channels to N × the output's shape.
    tensor predict(const tensor &images) const
    {
        std::vector<int64_t> dims(CNN_MAX_RANK, cnn_tensor_dim(images, 0));
        dims.resize(size_t(1 + cnn_model_output_dims(get(), dims.data() + 1, CNN_MAX_RANK - 1)));
        tensor output(dims);
        check(cnn_model_predict(get(), images, output));
        return output;
    }
};

/// Options of a training. `->` gives the fields of cnn_train_options. A callback returns true to stop the training;
/// what it throws stops the training, too, and fit() throws it.
class train_options
{
  public:
    std::function<bool(const cnn_progress &)> on_step;
    std::function<bool(const cnn_epoch &)> on_epoch;
    cnn_train_options *operator->() { return &options_; }

  private:
    friend class classifier;
    cnn_train_options options_ = defaults(cnn_train_options_init);
    std::exception_ptr thrown_;

    /// An exception can't cross C: it stops the training, and is thrown afterwards.
    template <class T, std::function<bool(const T &)> train_options::*function>
    static int relay(const T *value, void *user)
    {
        auto self = static_cast<train_options *>(user);
        try {
            return self->*function && (self->*function)(*value);
        } catch (...) {
            self->thrown_ = std::current_exception();
            return 1;
        }
    }
    const cnn_train_options *get()
    {
        options_.on_step_user = options_.on_epoch_user = this;
        options_.on_step = relay<cnn_progress, &train_options::on_step>;
        options_.on_epoch = relay<cnn_epoch, &train_options::on_epoch>;
        thrown_ = nullptr;
        return &options_;
    }
};

/// The prediction for one photograph: see cnn_prediction.
struct prediction {
    cnn_status status = CNN_OK;
    int32_t class_index = -1;
    std::string label;
    float confidence = 0;
    float probability = 0;            // of class 1
    std::vector<float> probabilities; // of each class
    std::string error;                // the sentence for `status`
};

class classifier : public handle<cnn_classifier, cnn_classifier_destroy>
{
  public:
    using handle::handle;
    explicit classifier(const std::string &net, const cnn_classifier_options *options = nullptr)
    {
        make(cnn_classifier_create, nullptr, net.c_str(), options);
    }
    explicit classifier(const graph &net, const cnn_classifier_options *options = nullptr)
    {
        make(cnn_classifier_create_from_graph, nullptr, net.get(), options);
    }
    static classifier load(const std::string &path)
    {
        classifier loaded;
        loaded.make(cnn_classifier_load, nullptr, path.c_str());
        return loaded;
    }
    void save(const std::string &path) const { check(cnn_classifier_save(get(), path.c_str())); }

    void fit(const dataset &training) { check(cnn_classifier_fit(get(), training, nullptr, nullptr)); }
    void fit(const dataset &training, train_options &options, const cnn_dataset *validation = nullptr)
    {
        cnn_status status = cnn_classifier_fit(get(), training, validation, options.get());
        if (options.thrown_)
            std::rethrow_exception(options.thrown_);
        check(status);
    }
    cnn_metrics_result evaluate(const dataset &data) const
    {
        handle<cnn_metrics, cnn_metrics_destroy> metrics;
        metrics.make(cnn_classifier_evaluate, get(), data.get());
        auto result = defaults(cnn_metrics_result_init);
        check(cnn_metrics_compute(metrics, &result));
        return result;
    }

    prediction predict(const std::string &path) const { return one(cnn_classifier_predict_file, path.c_str()); }
    prediction predict(const tensor &pixels) const { return one(cnn_classifier_predict_pixels, pixels.get()); }
    /// Predicts many files at once. If a file can't be used, its prediction has the status and the error.
    std::vector<prediction> predict_files(const std::vector<std::string> &paths) const
    {
        rooms places(get(), paths.size());
        check(cnn_classifier_predict_files(get(), pointers(paths).data(), paths.size(), places.predictions.data()));
        std::vector<prediction> found;
        for (size_t i = 0; i < paths.size(); i++)
            found.push_back(places.take(i));
        return found;
    }

  private:
    /// The memory that the C functions write predictions to.
    struct rooms {
        static constexpr uint32_t sentence = 1024;
        std::vector<cnn_prediction> predictions;
        std::vector<float> probabilities;
        std::vector<char> errors;

        rooms(const cnn_classifier *classifier, size_t count)
            : predictions(count), probabilities(count * cnn_classifier_class_count(classifier)),
              errors(count * sentence)
        {
            for (size_t i = 0; i < count; i++) {
                cnn_prediction_init(&predictions[i]);
                predictions[i].probability_capacity = cnn_classifier_class_count(classifier);
                predictions[i].probabilities = probabilities.data() + i * predictions[i].probability_capacity;
                predictions[i].error_capacity = sentence;
                predictions[i].error = errors.data() + i * sentence;
            }
        }
        prediction take(size_t index) const
        {
            const cnn_prediction &from = predictions[index];
            prediction to;
            to.status = from.status;
            to.class_index = from.class_index;
            to.error = from.error;
            if (from.status != CNN_OK)
                return to;
            to.label = from.label;
            to.confidence = from.confidence;
            to.probability = from.probability;
            to.probabilities.assign(from.probabilities, from.probabilities + from.class_count);
            return to;
        }
    };
    template <class Function, class T> prediction one(Function function, const T *image) const
    {
        rooms places(get(), 1);
        check(function(get(), image, places.predictions.data()));
        return places.take(0);
    }
};

} // namespace cnn

#endif
