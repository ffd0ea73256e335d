// Trains a classifier on a folder (or zip) of photographs, and classifies one, in C++11.
//
//     c++ -std=c++11 classify.cpp -o classify $(pkg-config --cflags --libs cnn)
//     ./classify PetImages photo.jpg
#include <cstdio>
#include <memory>
#include <stdexcept>

#include <cnn/cnn.h>

using dataset = std::unique_ptr<cnn_dataset, decltype(&cnn_dataset_destroy)>;
using classifier = std::unique_ptr<cnn_classifier, decltype(&cnn_classifier_destroy)>;

static void check(cnn_status status)
{
    if (status)
        throw std::runtime_error(cnn_last_error());
}

static dataset open_dataset(const char *path)
{
    cnn_dataset *opened = nullptr;
    check(cnn_dataset_open(nullptr, path, nullptr, &opened));
    return dataset(opened, cnn_dataset_destroy);
}

static classifier create_classifier(const char *net)
{
    cnn_classifier *created = nullptr;
    check(cnn_classifier_create(nullptr, net, nullptr, &created));
    return classifier(created, cnn_classifier_destroy);
}

int main(int argc, char **argv)
try {
    if (argc != 3)
        throw std::runtime_error("usage: classify DATA PHOTO");
    dataset photos = open_dataset(argv[1]);
    classifier pets = create_classifier("two_conv");
    check(cnn_classifier_fit(pets.get(), photos.get(), nullptr, nullptr));
    check(cnn_classifier_save(pets.get(), "pets.safetensors"));
    cnn_prediction p = {};
    p.struct_size = sizeof p;
    check(cnn_classifier_predict_file(pets.get(), argv[2], &p));
    std::printf("%s %.1f %%\n", p.label, 100 * p.confidence);
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
