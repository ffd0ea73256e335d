/* Mutations of protobuf messages that keep them messages: one field's content is changed, and the lengths around it
 * follow. (libprotobuf-mutator does this with the schema; here the wire format is enough.) */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum { DEEPEST = 12, FIELDS_MAX = 4096 };

/* A field with a length: its content, where the length stands, and the field around it. */
typedef struct field {
    size_t length_at, at, size;
    int32_t parent; /* -1: the message itself */
} field;

typedef struct message {
    const uint8_t *data;
    field fields[FIELDS_MAX];
    int32_t count;
} message;

/* Not 0 if there is no number here. */
static int read_number(const uint8_t *data, size_t end, size_t *at, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = data[(*at)++];
        *value |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128))
            return 0;
    }
    return -1;
}

/* Lists the fields of a part, or none of them if it isn't made of fields. */
static void list_fields(message *m, size_t at, size_t end, int32_t parent, int depth)
{
    int32_t first = m->count;
    while (at < end) {
        uint64_t key, length;
        if (read_number(m->data, end, &at, &key) || key >> 3 == 0)
            break;
        if ((key & 7) == 0) {
            if (read_number(m->data, end, &at, &length))
                break;
            continue;
        }
        if ((key & 7) == 1 || (key & 7) == 5) {
            size_t skip = (key & 7) == 1 ? 8 : 4;
            if (end - at < skip)
                break;
            at += skip;
            continue;
        }
        size_t length_at = at;
        if ((key & 7) != 2 || read_number(m->data, end, &at, &length) || length > end - at || m->count == FIELDS_MAX)
            break;
        m->fields[m->count++] = (field){ length_at, at, length, parent };
        if (depth < DEEPEST)
            list_fields(m, at, at + length, m->count - 1, depth + 1);
        at += length;
    }
    if (at < end)
        m->count = first; /* text or numbers that only begin like fields */
}

static size_t write_number(uint8_t *to, uint64_t value)
{
    size_t count = 0;
    for (; value > 127; value >>= 7)
        to[count++] = (uint8_t)(value | 128);
    to[count++] = (uint8_t)value;
    return count;
}

/* Puts `content` in the place of a part of `data`. The new size, or 0 if it doesn't fit. */
static size_t replace(uint8_t *data, size_t size, size_t max_size, size_t at, size_t old, const uint8_t *content,
                      size_t length)
{
    if (size - old + length > max_size)
        return 0;
    memmove(data + at + length, data + at + old, size - at - old);
    memcpy(data + at, content, length);
    return size - old + length;
}

/* Gives a field other content, and the fields around it the lengths that follow. */
static size_t set_content(const message *m, int32_t index, uint8_t *data, size_t size, size_t max_size,
                          const uint8_t *content, size_t length)
{
    const field *f = &m->fields[index];
    ptrdiff_t grown = (ptrdiff_t)length - (ptrdiff_t)f->size;
    size = replace(data, size, max_size, f->at, f->size, content, length);
    for (; size && index >= 0; index = m->fields[index].parent) {
        uint8_t number[10];
        f = &m->fields[index];
        size_t bytes = write_number(number, (uint64_t)((ptrdiff_t)f->size + grown)), old = f->at - f->length_at;
        size = replace(data, size, max_size, f->length_at, old, number, bytes);
        grown += (ptrdiff_t)bytes - (ptrdiff_t)old;
    }
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static message m;
    m.data = data;
    m.count = 0;
    list_fields(&m, 0, size, -1, 0);
    if (!m.count || seed % 16 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    int32_t index = (int32_t)(seed / 16 % (unsigned)m.count), other = (int32_t)(seed / 4096 % (unsigned)m.count);
    const field *f = &m.fields[index], *from = seed % 4 == 0 ? &m.fields[other] : f;
    size_t capacity = from->size + 64;
    uint8_t *content = malloc(capacity);
    if (!content)
        return size;
    memcpy(content, data + from->at, from->size);
    size_t length = from == f ? LLVMFuzzerMutate(content, from->size, capacity) : from->size;
    size_t mutated = set_content(&m, index, data, size, max_size, content, length);
    free(content);
    return mutated ? mutated : size;
}
