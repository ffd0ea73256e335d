#include "data/name.h"

#include <string.h>
#include <strings.h>

bool cnn_name_is_hidden(const char *name, size_t length)
{
    static const char resource_forks[] = "__MACOSX"; /* what macOS adds to its zips */
    return !length || name[0] == '.' || (length == sizeof resource_forks - 1 && !memcmp(name, resource_forks, length));
}

bool cnn_name_has_extension(const char *name, const char *extension)
{
    const char *dot = strrchr(name, '.');
    return dot && !strcasecmp(dot + 1, extension);
}

bool cnn_name_is_no_image(const char *name)
{
    static const char *const others[] = {
        "txt",  "md",          "rst", "rtf", "html",  "htm", "csv",  "tsv", "json", "jsonl", "xml",
        "yaml", "yml",         "db",  "ini", "log",   "lnk", "url",  "zip", "tar",  "gz",    "tgz",
        "bz2",  "xz",          "7z",  "rar", "pdf",   "doc", "docx", "xls", "xlsx", "ppt",   "pptx",
        "odt",  "ods",         "py",  "pyc", "ipynb", "m",   "mat",  "sh",  "bat",  "c",     "h",
        "h5",   "safetensors", "pt",  "pth", "onnx",  "pkl", "npy",  "npz", "md5",  "sha1",  "sha256",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cnn_name_has_extension(name, others[i]))
            return true;
    return false;
}
