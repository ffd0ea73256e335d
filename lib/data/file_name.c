#include "data/file_name.h"

#include <string.h>
#include <strings.h>

/* What systems put beside people's files: macOS in its zips, Windows, Synology's and QNAP's storage, Linux. */
static bool is_of_the_system(const char *name, size_t length)
{
    static const char *const names[] = { "__MACOSX", "$RECYCLE.BIN", "RECYCLER", "System Volume Information",
                                         "@eaDir",   "#recycle",     "@Recycle", "lost+found" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == length && !strncasecmp(name, names[i], length))
            return true;
    return false;
}

bool cnn_name_is_hidden(const char *name, size_t length)
{
    return !length || name[0] == '.' || is_of_the_system(name, length);
}

const char *cnn_name_extension(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : "";
}

bool cnn_name_has_extension(const char *name, const char *extension)
{
    return !strcasecmp(cnn_name_extension(name), extension);
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
