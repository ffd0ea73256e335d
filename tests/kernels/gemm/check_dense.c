#include <math.h>

#include "check.h"
#include "reference.h"

typedef struct dense_results {
    float *output, *input_gradient, *weight_gradient, *bias_gradient;
} dense_results;

typedef struct dense_data {
    cnn_dense_shape shape;
    cnn_activation activation;
    float *input, *weights, *bias, *gradient;
    dense_results expected;
} dense_data;

static dense_results allocate_results(const cnn_dense_shape *s)
{
    return (dense_results){ .output = check_allocate((size_t)(s->rows * s->units) * sizeof(float)),
                            .input_gradient = check_allocate((size_t)(s->rows * s->inputs) * sizeof(float)),
                            .weight_gradient = check_allocate((size_t)(s->inputs * s->units) * sizeof(float)),
                            .bias_gradient = check_allocate((size_t)s->units * sizeof(float)) };
}

static void release_results(dense_results *r)
{
    check_release(r->output);
    check_release(r->input_gradient);
    check_release(r->weight_gradient);
    check_release(r->bias_gradient);
}

static dense_results run(cnn_context *context, const dense_data *d)
{
    const cnn_dense_shape *s = &d->shape;
    dense_results r = allocate_results(s);
    check_release(r.output);
    check_release(r.input_gradient);
    void *input = check_typed(d->input, s->rows * s->inputs, s->input_type);
    void *gradient = check_typed(d->gradient, s->rows * s->units, s->output_type);
    void *output = check_typed(d->gradient, s->rows * s->units, s->output_type);
    void *input_gradient = check_typed(d->input, s->rows * s->inputs, s->input_type);
    void *workspace = check_allocate(cnn_dense_forward_workspace(context, s));
    cnn_dense_arrays arrays = { input, d->weights, d->bias, output, workspace };
    cnn_dense_forward(context, s, d->activation, &arrays);
    check_release(workspace);
    workspace = check_allocate(cnn_dense_backward_data_workspace(context, s));
    cnn_dense_backward_data(context, s, gradient, d->weights, input_gradient, workspace);
    check_release(workspace);
    workspace = check_allocate(cnn_dense_backward_weights_workspace(context, s));
    cnn_weight_gradient wanted = { input, r.weight_gradient, d->bias ? r.bias_gradient : NULL, workspace };
    cnn_dense_backward_weights(context, s, gradient, &wanted);
    check_release(workspace);
    check_release(input);
    check_release(gradient);
    r.output = check_widened(output, s->rows * s->units, s->output_type);
    r.input_gradient = check_widened(input_gradient, s->rows * s->inputs, s->input_type);
    return r;
}

static void compare(const dense_data *d, const dense_results *e, const dense_results *r, float tolerance)
{
    const cnn_dense_shape *s = &d->shape;
    check_equal("output", e->output, r->output, s->rows * s->units, tolerance * sqrtf((float)s->inputs));
    check_equal("input gradient", e->input_gradient, r->input_gradient, s->rows * s->inputs,
                tolerance * sqrtf((float)s->units));
    check_equal("weight gradient", e->weight_gradient, r->weight_gradient, s->inputs * s->units,
                tolerance * sqrtf((float)s->rows));
    if (d->bias)
        check_equal("bias gradient", e->bias_gradient, r->bias_gradient, s->units, tolerance * sqrtf((float)s->rows));
}

static void check_one(const check_sets *sets, dense_data *d, check_values values)
{
    const cnn_dense_shape *s = &d->shape;
    d->input = check_random(s->rows * s->inputs, values, 1);
    d->weights = check_random(s->inputs * s->units, values, 2);
    float *bias = check_random(s->units, values, 3);
    d->bias = s->inputs % 2 ? bias : NULL;
    d->gradient = check_random(s->rows * s->units, values, 4);
    check_round(d->input, s->rows * s->inputs, s->input_type);
    check_round(d->gradient, s->rows * s->units, s->output_type);
    d->expected = allocate_results(s);
    reference_dense_forward(s, d->input, d->weights, d->bias, d->activation, d->expected.output);
    reference_dense_backward_data(s, d->gradient, d->weights, d->expected.input_gradient);
    reference_dense_backward_weights(s, d->input, d->gradient, d->expected.weight_gradient, d->expected.bias_gradient);
    check_round(d->expected.output, s->rows * s->units, s->output_type);
    check_round(d->expected.input_gradient, s->rows * s->inputs, s->input_type);
    bool bf16 = s->input_type == CNN_BFLOAT16 || s->output_type == CNN_BFLOAT16;
    for (int i = 0; i < sets->count; i++) {
        check_case("%s: dense %lldx%lld -> %lld, activation %d", sets->sets[i].name, (long long)s->rows,
                   (long long)s->inputs, (long long)s->units, (int)d->activation);
        dense_results one = run(sets->sets[i].contexts[0], d);
        compare(d, &d->expected, &one, values == CHECK_WHOLE_NUMBERS ? 0 : bf16 ? 1e-2f : 1e-5f);
        for (int t = 1; t < CHECK_THREADS; t++) {
            dense_results more = run(sets->sets[i].contexts[t], d);
            compare(d, &one, &more, 0);
            release_results(&more);
        }
        release_results(&one);
    }
    float *arrays[] = { d->input, d->weights, bias, d->gradient };
    for (int i = 0; i < 4; i++)
        check_release(arrays[i]);
    release_results(&d->expected);
}

void check_dense(const check_sets *sets)
{
    static const int64_t units[] = { 1, 7, 64, 100 }, inputs[] = { 1, 9, 64, 300, 1041 }, rows[] = { 1, 2, 5, 32, 67 };
    for (int u = 0; u < 4; u++)
        for (int i = 0; i < 5; i++)
            for (int r = 0; r < 5; r++) {
                dense_data d = { .shape = { rows[r], inputs[i], units[u] },
                                 .activation = (cnn_activation)((u + i + r) % 3) };
                check_one(sets, &d, CHECK_WHOLE_NUMBERS);
                check_one(sets, &d, CHECK_FLOATS);
                d.shape.input_type = u % 2 ? CNN_FLOAT32 : CNN_BFLOAT16;
                d.shape.output_type = u > 1 ? CNN_FLOAT32 : CNN_BFLOAT16;
                check_one(sets, &d, i % 2 ? CHECK_FLOATS : CHECK_WHOLE_NUMBERS);
            }
}
