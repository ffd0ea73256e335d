// Trains a classifier on a folder (or zip) of photographs, shows how it goes, and classifies one, in C++17.
//
//     c++ -std=c++17 classify.cpp -o classify $(pkg-config --cflags --libs cnn)
//     ./classify PetImages photo.jpg
#include <cstdio>

#include <cnn/cnn.hpp>

int main(int argc, char **argv)
try {
    if (argc != 3)
        throw std::invalid_argument("usage: classify DATA PHOTO");
    cnn::dataset photos(argv[1]);
    cnn::classifier pets("two_conv");
    cnn::train_options options;
    options->epochs = 3;
    options.on_epoch = [](const cnn_epoch &epoch) {
        std::printf("epoch %u: loss %.3f, validation accuracy %.1f %%\n", epoch.epoch, epoch.loss,
                    100 * epoch.validation_accuracy);
        return false; // true stops the training
    };
    pets.fit(photos, options);
    pets.save("pets.safetensors");
    cnn::prediction p = pets.predict(argv[2]);
    std::printf("%s %.1f %%\n", p.label.c_str(), 100 * p.confidence);
} catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
