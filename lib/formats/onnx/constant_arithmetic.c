/* Arithmetic on constants: of weights, and of the shapes that exporters leave behind. */
#include <string.h>

#include "core/error.h"
#include "formats/onnx/constants.h"

/* Dimensions of the result, and each operand's strides over them. */
static cnn_status broadcast(const cnn_onnx_import *import, const cnn_onnx_tensor *const operands[2],
                            cnn_onnx_walk walks[2])
{
    int32_t rank = operands[0]->rank > operands[1]->rank ? operands[0]->rank : operands[1]->rank;
    int64_t count = 1, strides[CNN_ONNX_MAX_RANK],
            larger = operands[0]->count > operands[1]->count ? operands[0]->count : operands[1]->count;
    for (int k = 0; k < 2; k++)
        walks[k] = (cnn_onnx_walk){ .rank = rank };
    for (int32_t axis = 0; axis < rank; axis++) {
        int64_t size = 1;
        for (int k = 0; k < 2; k++) {
            int32_t own = axis - (rank - operands[k]->rank);
            int64_t dim = own >= 0 ? operands[k]->dims[own] : 1;
            cnn_onnx_natural_strides(operands[k], strides);
            walks[k].strides[axis] = dim == 1 ? 0 : strides[own];
            if (dim != 1 && size != 1 && dim != size)
                return cnn_onnx_fail(import, CNN_ERROR_SHAPE, "its inputs don't fit each other");
            size = dim != 1 ? dim : size;
        }
        walks[0].dims[axis] = walks[1].dims[axis] = size;
        if (__builtin_mul_overflow(count, size, &count) || (count > larger && count > CNN_ONNX_MAX_ITEMS))
            return cnn_onnx_fail(import, CNN_ERROR_LIMIT, "the constant that it makes is too large");
    }
    return CNN_OK;
}

typedef struct arithmetic {
    float (*floats)(float a, float b);
    int64_t (*int64s)(int64_t a, int64_t b);
} arithmetic;

static cnn_status combine(cnn_onnx_import *import, const arithmetic *operation)
{
    const cnn_onnx_tensor *operands[2];
    cnn_onnx_walk walks[2];
    cnn_onnx_elements elements;
    cnn_onnx_tensor *to;
    cnn_status status = cnn_onnx_any_constant(import, 0, &operands[0]);
    if (!status)
        status = cnn_onnx_any_constant(import, 1, &operands[1]);
    if (!status && !operands[0]->floats != !operands[1]->floats)
        status = cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its inputs are of different types");
    if (!status)
        status = broadcast(import, operands, walks);
    if (!status)
        status = cnn_onnx_new_like(import, operands[0], walks[0].rank, walks[0].dims, &elements, &to);
    if (status)
        return status;
    const cnn_onnx_tensor *x = operands[0], *y = operands[1];
    for (int64_t i = 0; i < to->count; i++, cnn_onnx_step(&walks[0]), cnn_onnx_step(&walks[1])) {
        if (elements.floats && x->floats && y->floats)
            elements.floats[i] = operation->floats(x->floats[walks[0].at], y->floats[walks[1].at]);
        else if (elements.int64s && x->int64s && y->int64s)
            elements.int64s[i] = operation->int64s(x->int64s[walks[0].at], y->int64s[walks[1].at]);
    }
    return cnn_onnx_define_output(import, to);
}

static float add_floats(float a, float b)
{
    return a + b;
}

static float subtract_floats(float a, float b)
{
    return a - b;
}

static float multiply_floats(float a, float b)
{
    return a * b;
}

static float divide_floats(float a, float b)
{
    return a / b;
}

/* Whole numbers wrap round. */
static int64_t add_int64s(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t subtract_int64s(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t multiply_int64s(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int64_t divide_int64s(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? subtract_int64s(0, a) : a / b;
}

static cnn_status read_add(cnn_onnx_import *import)
{
    return combine(import, &(arithmetic){ add_floats, add_int64s });
}

static cnn_status read_sub(cnn_onnx_import *import)
{
    return combine(import, &(arithmetic){ subtract_floats, subtract_int64s });
}

static cnn_status read_mul(cnn_onnx_import *import)
{
    return combine(import, &(arithmetic){ multiply_floats, multiply_int64s });
}

static cnn_status read_div(cnn_onnx_import *import)
{
    return combine(import, &(arithmetic){ divide_floats, divide_int64s });
}

/* (value - zero point) × scale, the same for all or along one axis. Floats are as QuantizeLinear has left them, which
 * rounds nothing here. */
static cnn_status read_dequantize(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from = cnn_onnx_constant(import, 0), *scale, *zero = cnn_onnx_constant(import, 2);
    if (from && from->floats)
        return cnn_onnx_define_output(import, from);
    cnn_status status = cnn_onnx_need_int64s(import, 0, "input", &from);
    int32_t axis = 0;
    if (!status)
        status = cnn_onnx_need_floats(import, 1, "scale", &scale);
    if (!status && scale->count != 1)
        status = cnn_onnx_axis_of(import, cnn_onnx_int_attribute(import, "axis", 1), from->rank, &axis);
    if (status)
        return status;
    if ((scale->count != 1 && scale->count != from->dims[axis]) || (zero && zero->count != scale->count) ||
        (zero && !zero->int64s))
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "its scale and zero point don't fit its input");
    float *floats;
    cnn_onnx_tensor *to;
    int64_t strides[CNN_ONNX_MAX_RANK] = { 0 };
    status = cnn_onnx_new_tensor(import, from->rank, from->dims, &floats, NULL, &to);
    cnn_onnx_natural_strides(from, strides);
    for (int64_t i = 0; !status && i < to->count; i++) {
        int64_t channel = scale->count == 1 ? 0 : i / strides[axis] % from->dims[axis];
        floats[i] = (float)(from->int64s[i] - (zero ? zero->int64s[channel] : 0)) * scale->floats[channel];
    }
    return status ? status : cnn_onnx_define_output(import, to);
}

/* The constant repeated along axes where it has one element. */
static cnn_status read_expand(cnn_onnx_import *import)
{
    const cnn_onnx_tensor *from, *shape;
    cnn_status status = cnn_onnx_any_constant(import, 0, &from);
    if (!status)
        status = cnn_onnx_need_int64s(import, 1, "shape", &shape);
    if (status)
        return status;
    if (shape->count > CNN_ONNX_MAX_RANK)
        return cnn_onnx_fail(import, CNN_ERROR_UNSUPPORTED, "it makes %lld dimensions", (long long)shape->count);
    cnn_onnx_tensor wanted = { .rank = (int32_t)shape->count, .count = 1 };
    memcpy(wanted.dims, shape->int64s, (size_t)wanted.rank * sizeof *wanted.dims);
    const cnn_onnx_tensor *const operands[2] = { from, &wanted };
    cnn_onnx_walk walks[2];
    status = broadcast(import, operands, walks);
    return status ? status : cnn_onnx_define_walk(import, from, &walks[0]);
}

const cnn_onnx_operator cnn_onnx_arithmetic_operators[] = {
    { "Add", read_add }, { "DequantizeLinear", read_dequantize },
    { "Div", read_div }, { "Expand", read_expand },
    { "Mul", read_mul }, { "Sub", read_sub },
    { NULL, NULL },
};
