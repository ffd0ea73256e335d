#include <cnn/version.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *cnn_version(void)
{
    return TEXT(CNN_VERSION_MAJOR) "." TEXT(CNN_VERSION_MINOR) "." TEXT(CNN_VERSION_PATCH);
}
