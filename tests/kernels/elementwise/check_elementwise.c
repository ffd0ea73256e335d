#include "check.h"
#include "check_pair.h"
#include "kernels/elementwise/dropout.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/kernels.h"

static void check_operations(cnn_context *context, int64_t count)
{
    static const cnn_elementwise operations[] = { CNN_ELEMENTWISE_RELU, CNN_ELEMENTWISE_RELU6 };
    check_pair a = check_pair_draw(count, 1), b = check_pair_draw(count, 2);
    for (int i = 0; i < 2; i++) {
        check_pair forward = check_pair_draw(count, 3), backward = check_pair_draw(count, 4);
        cnn_elementwise_call floats = { operations[i], NULL, CNN_FLOAT32, (size_t)count }, bf16 = floats;
        bf16.type = CNN_BFLOAT16;
        cnn_elementwise_forward(context, &floats, a.wide, forward.wide);
        cnn_elementwise_forward(context, &bf16, a.bf16, forward.bf16);
        cnn_elementwise_backward(context, &floats, forward.wide, b.wide, backward.wide);
        cnn_elementwise_backward(context, &bf16, forward.bf16, b.bf16, backward.bf16);
        check_pair_compare("an activation", &forward);
        check_pair_compare("an activation's gradient", &backward);
    }
    check_pair sum = check_pair_draw(count, 5), copy = check_pair_draw(count, 6);
    cnn_elementwise_add(context, CNN_FLOAT32, a.wide, b.wide, sum.wide, (size_t)count);
    cnn_elementwise_add(context, CNN_BFLOAT16, a.bf16, b.bf16, sum.bf16, (size_t)count);
    check_pair_compare("a sum", &sum);
    cnn_elementwise_copy(context, CNN_FLOAT32, a.wide, copy.wide, (size_t)count);
    cnn_elementwise_copy(context, CNN_BFLOAT16, a.bf16, copy.bf16, (size_t)count);
    check_pair_compare("a copy", &copy);
    check_pair_release(&a);
    check_pair_release(&b);
}

static void check_dropout(cnn_context *context, int64_t count)
{
    const cnn_dropout_kernels *kernels = cnn_kernels_get(context)->dropout;
    check_pair a = check_pair_draw(count, 1), kept = check_pair_draw(count, 2);
    uint8_t *keep = check_allocate((size_t)count);
    uint32_t state = 3;
    for (int64_t i = 0; i < count; i++)
        keep[i] = (uint8_t)check_draw(&state, 2);
    kernels->mask(keep, a.wide, 1.25f, kept.wide, (size_t)count);
    kernels->mask_bf16(keep, a.bf16, 1.25f, kept.bf16, (size_t)count);
    check_pair_compare("dropout", &kept);
    check_release(keep);
    check_pair_release(&a);
}

void check_elementwise(const check_sets *sets)
{
    static const int64_t counts[] = { 1, 15, 16, 100, 16384 + 3, 70001 };
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: elementwise, in bfloat16", sets->sets[i].name);
        for (int k = 0; k < 6; k++) {
            check_operations(sets->sets[i].contexts[i % CHECK_THREADS], counts[k]);
            check_dropout(sets->sets[i].contexts[i % CHECK_THREADS], counts[k]);
        }
    }
}
