/* The version of these headers, and the version and features of the library that the program runs with.
 *
 *     #include <stdio.h>
 *
 *     #include <cnn/cnn.h>
 *
 *     #if CNN_VERSION_NUMBER < CNN_MAKE_VERSION(0, 2, 0)
 *     #error "this program needs libcnn 0.2 or later"
 *     #endif
 *
 *     int main(void)
 *     {
 *         printf("compiled for libcnn %d.%d, running with %s\n", CNN_VERSION_MAJOR, CNN_VERSION_MINOR, cnn_version());
 *         printf("zip files %s be read\n", cnn_has_feature("zip") ? "can" : "can't");
 *         return 0;
 *     }
 */
#ifndef CNN_VERSION_H
#define CNN_VERSION_H

#include <stdint.h>

#include <cnn/export.h>

#define CNN_VERSION_MAJOR 0
#define CNN_VERSION_MINOR 2
#define CNN_VERSION_PATCH 0

/* A version as one number, larger for later versions: 0.2.0 is 200, 1.3.12 is 10312. */
#define CNN_MAKE_VERSION(major, minor, patch) ((major)*10000 + (minor)*100 + (patch))

/* The version of the headers, for the preprocessor. */
#define CNN_VERSION_NUMBER CNN_MAKE_VERSION(CNN_VERSION_MAJOR, CNN_VERSION_MINOR, CNN_VERSION_PATCH)

CNN_BEGIN_DECLS

/* Returns the version of the library that the program runs with, as one number. It is CNN_VERSION_NUMBER or, as a
 * program runs with any later library of the same soname, larger. Thread-safe. */
CNN_API uint32_t cnn_version_number(void);

/* Returns that version as text, "major.minor.patch". The text is static. Thread-safe. */
CNN_API const char *cnn_version(void);

/* Returns 1 if the library was built with the feature of that name; 0 if not, for a name that it doesn't know, and for
 * NULL. Thread-safe. The features are:
 *   jpeg, png   reads photographs of these formats; in every build
 *   zip         reads datasets in zip files; needs libarchive
 *   onnx        reads and writes ONNX files; needs protobuf-c */
CNN_API uint32_t cnn_has_feature(const char *name);

/* Returns the names of the features that the library was built with, by an index from 0; NULL past the last. The text
 * is static. Thread-safe. */
CNN_API const char *cnn_feature_name(uint32_t index);

CNN_END_DECLS

#endif
