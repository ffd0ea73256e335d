#include <cnn/version.h>

#include <stddef.h>
#include <string.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

uint32_t cnn_version_number(void)
{
    return CNN_VERSION_NUMBER;
}

const char *cnn_version(void)
{
    return TEXT(CNN_VERSION_MAJOR) "." TEXT(CNN_VERSION_MINOR) "." TEXT(CNN_VERSION_PATCH);
}

/* CNN_HAVE_... come from meson, for what a build may lack. */
static const char *const features[] = {
    "jpeg",
    "png",
#ifdef CNN_HAVE_ZIP
    "zip",
#endif
#ifdef CNN_HAVE_ONNX
    "onnx",
#endif
};

const char *cnn_feature_name(uint32_t index)
{
    return index < sizeof features / sizeof *features ? features[index] : NULL;
}

uint32_t cnn_has_feature(const char *name)
{
    const char *feature;
    for (uint32_t i = 0; name && (feature = cnn_feature_name(i)); i++)
        if (!strcmp(feature, name))
            return 1;
    return 0;
}
