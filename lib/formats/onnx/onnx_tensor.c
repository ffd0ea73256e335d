/* Constants of ONNX files: their types, and where their bytes are. */
#include <math.h>
#include <string.h>

#include "core/byte_order.h"
#include "core/error.h"
#include "core/memory.h"
#include "formats/onnx/import.h"

enum { LOCATION_EXTERNAL = 1 };

static bool is_integer(int32_t type)
{
    return type != CNN_ONNX_FLOAT && type != CNN_ONNX_FLOAT16 && type != CNN_ONNX_DOUBLE && type != CNN_ONNX_BFLOAT16;
}

/* 0 for types that are not read. */
static size_t size_of(int32_t type)
{
    switch (type) {
    case CNN_ONNX_UINT8:
    case CNN_ONNX_INT8:
    case CNN_ONNX_BOOL: return 1;
    case CNN_ONNX_UINT16:
    case CNN_ONNX_INT16:
    case CNN_ONNX_FLOAT16:
    case CNN_ONNX_BFLOAT16: return 2;
    case CNN_ONNX_FLOAT:
    case CNN_ONNX_INT32: return 4;
    case CNN_ONNX_INT64:
    case CNN_ONNX_DOUBLE: return 8;
    default: return 0;
    }
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16. */
static float from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 31)
        return from_bits(sign | 0x7F800000 | fraction << 13);
    if (exponent)
        return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float value = ldexpf((float)fraction, -24);
    return sign ? -value : value;
}

static float from_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

static float read_float(int32_t type, const unsigned char *at)
{
    switch (type) {
    case CNN_ONNX_FLOAT16: return from_half(cnn_load_little16(at));
    case CNN_ONNX_BFLOAT16: return from_bits((uint32_t)cnn_load_little16(at) << 16);
    case CNN_ONNX_DOUBLE: return from_double(cnn_load_little64(at));
    default: return from_bits(cnn_load_little32(at));
    }
}

static int64_t read_integer(int32_t type, const unsigned char *at)
{
    switch (type) {
    case CNN_ONNX_INT8: return (int8_t)*at;
    case CNN_ONNX_UINT16: return cnn_load_little16(at);
    case CNN_ONNX_INT16: return (int16_t)cnn_load_little16(at);
    case CNN_ONNX_INT32: return (int32_t)cnn_load_little32(at);
    case CNN_ONNX_INT64: return (int64_t)cnn_load_little64(at);
    default: return *at; /* UINT8, BOOL */
    }
}

static cnn_status set_dims(cnn_onnx_import *import, cnn_onnx_tensor *tensor, int64_t rank, const int64_t *dims)
{
    if (rank > CNN_ONNX_MAX_RANK)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "a constant has %lld dimensions; at most %d are possible",
                             (long long)rank, CNN_ONNX_MAX_RANK);
    tensor->rank = (int32_t)rank;
    tensor->count = 1;
    for (int32_t i = 0; i < tensor->rank; i++) {
        if (dims[i] < 0 || __builtin_mul_overflow(tensor->count, dims[i], &tensor->count) || tensor->count > INT32_MAX)
            return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "a constant has a dimension of %lld", (long long)dims[i]);
        tensor->dims[i] = dims[i];
    }
    return CNN_OK;
}

cnn_status cnn_onnx_new_tensor(cnn_onnx_import *import, int32_t rank, const int64_t *dims, float **floats,
                               int64_t **int64s, cnn_onnx_tensor **result)
{
    void *memory;
    cnn_status status = cnn_onnx_memory(import, 1, sizeof **result, &memory);
    if (status)
        return status;
    cnn_onnx_tensor *tensor = memory;
    *tensor = (cnn_onnx_tensor){ .type = floats ? CNN_ONNX_FLOAT : CNN_ONNX_INT64 };
    status = set_dims(import, tensor, rank, dims);
    if (!status)
        status = cnn_onnx_memory(import, tensor->count, floats ? sizeof **floats : sizeof **int64s, &memory);
    if (status)
        return status;
    if (floats)
        tensor->floats = *floats = memory;
    else
        tensor->int64s = *int64s = memory;
    *result = tensor;
    return CNN_OK;
}

static cnn_status convert_raw(cnn_onnx_import *import, cnn_onnx_tensor *tensor, const unsigned char *data)
{
    void *memory;
    bool integer = is_integer(tensor->type);
    size_t size = size_of(tensor->type);
    if (tensor->type == CNN_ONNX_FLOAT && !CNN_BIG_ENDIAN && (uintptr_t)data % sizeof(float) == 0) {
        tensor->floats = (const float *)data;
        return CNN_OK;
    }
    cnn_status status = cnn_onnx_memory(import, tensor->count, integer ? sizeof(int64_t) : sizeof(float), &memory);
    if (status)
        return status;
    for (int64_t i = 0; i < tensor->count; i++, data += size) {
        if (integer)
            ((int64_t *)memory)[i] = read_integer(tensor->type, data);
        else
            ((float *)memory)[i] = read_float(tensor->type, data);
    }
    if (integer)
        tensor->int64s = memory;
    else
        tensor->floats = memory;
    return CNN_OK;
}

/* How many values lie in the field that holds this type where it isn't raw. */
static size_t field_count(const CnnOnnx__Tensor *from, int32_t type)
{
    switch (type) {
    case CNN_ONNX_FLOAT: return from->n_float_data;
    case CNN_ONNX_DOUBLE: return from->n_double_data;
    case CNN_ONNX_INT64: return from->n_int64_data;
    default: return from->n_int32_data;
    }
}

/* Types of 32 bits and less are 32-bit numbers there, the two short floats as their bits. */
static cnn_status convert_int32_field(cnn_onnx_import *import, cnn_onnx_tensor *tensor, const CnnOnnx__Tensor *from)
{
    void *memory;
    bool integer = is_integer(tensor->type);
    cnn_status status = cnn_onnx_memory(import, tensor->count, integer ? sizeof(int64_t) : sizeof(float), &memory);
    if (status)
        return status;
    for (int64_t i = 0; i < tensor->count; i++) {
        unsigned char bits[sizeof(double)] = { (unsigned char)from->int32_data[i],
                                               (unsigned char)(from->int32_data[i] >> 8) };
        if (integer)
            ((int64_t *)memory)[i] = from->int32_data[i];
        else
            ((float *)memory)[i] = read_float(tensor->type, bits);
    }
    if (integer)
        tensor->int64s = memory;
    else
        tensor->floats = memory;
    return CNN_OK;
}

static cnn_status convert_doubles(cnn_onnx_import *import, cnn_onnx_tensor *tensor, const double *doubles)
{
    void *memory;
    cnn_status status = cnn_onnx_memory(import, tensor->count, sizeof(float), &memory);
    if (status)
        return status;
    float *floats = memory;
    tensor->floats = floats;
    for (int64_t i = 0; i < tensor->count; i++)
        floats[i] = (float)doubles[i];
    return CNN_OK;
}

static cnn_status convert_field(cnn_onnx_import *import, cnn_onnx_tensor *tensor, const CnnOnnx__Tensor *from)
{
    if (field_count(from, tensor->type) != (size_t)tensor->count)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT, "a constant has %zu values; by its dimensions it has %lld",
                             field_count(from, tensor->type), (long long)tensor->count);
    switch (tensor->type) {
    case CNN_ONNX_FLOAT: tensor->floats = from->float_data; return CNN_OK;
    case CNN_ONNX_INT64: tensor->int64s = from->int64_data; return CNN_OK;
    case CNN_ONNX_DOUBLE: return convert_doubles(import, tensor, from->double_data);
    default: return convert_int32_field(import, tensor, from);
    }
}

static cnn_status read_data(cnn_onnx_import *import, cnn_onnx_tensor *tensor, const CnnOnnx__Tensor *from)
{
    uint64_t bytes = (uint64_t)tensor->count * size_of(tensor->type);
    const unsigned char *data = from->raw_data.data;
    if (from->has_data_location && from->data_location == LOCATION_EXTERNAL) {
        cnn_status status = cnn_onnx_read_external(import, from, bytes, &data);
        return status ? status : convert_raw(import, tensor, data);
    }
    if (!from->has_raw_data)
        return convert_field(import, tensor, from);
    if (from->raw_data.len != bytes)
        return cnn_onnx_fail(import, CNN_ERROR_FORMAT,
                             "a constant has %zu bytes; by its type and dimensions it has %llu", from->raw_data.len,
                             (unsigned long long)bytes);
    return convert_raw(import, tensor, data);
}

cnn_status cnn_onnx_read_tensor(cnn_onnx_import *import, const CnnOnnx__Tensor *from, const cnn_onnx_tensor **result)
{
    static const float no_floats[1];
    static const int64_t no_int64s[1];
    void *memory;
    cnn_status status = cnn_onnx_memory(import, 1, sizeof(cnn_onnx_tensor), &memory);
    if (status)
        return status;
    cnn_onnx_tensor *tensor = memory;
    *tensor = (cnn_onnx_tensor){ .type = from->data_type };
    if (!size_of(from->data_type) || from->has_segment)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "a constant is of type %d, which is not supported",
                             (int)from->data_type);
    status = set_dims(import, tensor, (int64_t)from->n_dims, from->dims);
    if (status)
        return status;
    if (tensor->count)
        status = read_data(import, tensor, from);
    else if (is_integer(tensor->type))
        tensor->int64s = no_int64s;
    else
        tensor->floats = no_floats;
    *result = tensor;
    return status;
}
