/* Every layer's gradients against central differences of sum(output × output_gradient). */
#include <math.h>
#include <string.h>

#include "harness.h"

enum { SAMPLES = 40 };

static double loss(layer_run *run)
{
    layer_forward(run, true);
    double sum = 0;
    for (size_t i = 0; i < run->output_count; i++)
        sum += (double)run->output[i] * (double)run->output_gradient[i];
    return sum;
}

/* Checks some numbers of one array. Where a step crosses a kink (of ReLU, of a maximum), the slopes on both sides
 * differ, and there is no gradient to compare; that may be so for a few. */
static void check(layer_run *run, const char *what, float *values, size_t count, const float *gradient)
{
    const double step = 4e-3;
    size_t stride = count > SAMPLES ? count / SAMPLES : 1, checked = 0, sampled = 0;
    for (size_t i = 0; i < count; i += stride) {
        float value = values[i];
        double middle = loss(run);
        float right_at = values[i] = value + (float)step;
        double right = loss(run);
        float left_at = values[i] = value - (float)step;
        double left = loss(run);
        values[i] = value;
        double expected = (right - left) / ((double)right_at - (double)left_at);
        double bend = fabs((right - middle) - (middle - left)) / step;
        sampled++;
        if (bend > 2e-3 * (1 + fabs(expected)))
            continue;
        checked++;
        if (!(fabs(expected - (double)gradient[i]) <= 2e-3 * (1 + fabs(expected))))
            fail_msg("%s: gradient by %s[%zu] is %g, not %g", run->what.name, what, i, (double)gradient[i], expected);
    }
    if (checked * 2 < sampled)
        fail_msg("%s: only %zu of %zu gradients by %s could be checked", run->what.name, checked, sampled, what);
}

static void gradients_match_finite_differences(void **state)
{
    (void)state;
    cnn_context *context = make_context(2, CNN_ISA_BEST);
    for (size_t i = 0; i < layer_case_count && strncmp(layer_cases[i].name, "large", 5); i++) {
        layer_run run;
        layer_run_begin(&run, &layer_cases[i], context);
        loss(&run);
        layer_backward(&run);
        for (int32_t k = 0; k < run.layer.input_count; k++)
            check(&run, "input", run.inputs[k], run.input_counts[k], run.pass.input_gradients[k]);
        for (int32_t k = 0; k < run.layer.parameter_count; k++)
            if (run.pass.parameter_gradients[k])
                check(&run, run.layer.parameters[k].name, run.pass.parameters[k], run.parameter_counts[k],
                      run.pass.parameter_gradients[k]);
        layer_run_end(&run);
    }
    cnn_context_destroy(context);
}

/* What isn't wanted is NULL, and the rest comes out the same. */
static void gradients_that_are_not_wanted_may_be_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < layer_case_count && strncmp(layer_cases[i].name, "large", 5); i++) {
        layer_run run, part;
        layer_run_begin(&run, &layer_cases[i], NULL);
        layer_run_begin(&part, &layer_cases[i], NULL);
        layer_forward(&run, true);
        layer_backward(&run);
        float *unwanted = part.pass.input_gradients[0];
        part.pass.input_gradients[0] = NULL;
        layer_forward(&part, true);
        layer_backward(&part);
        for (int32_t k = 0; k < run.layer.parameter_count; k++)
            if (run.pass.parameter_gradients[k])
                assert_memory_equal(run.pass.parameter_gradients[k], part.pass.parameter_gradients[k],
                                    run.parameter_counts[k] * sizeof(float));
        float *frozen[CNN_MAX_PARAMETERS];
        memcpy(frozen, part.pass.parameter_gradients, sizeof frozen);
        memset(part.pass.parameter_gradients, 0, sizeof frozen);
        part.pass.input_gradients[0] = unwanted;
        layer_backward(&part);
        assert_memory_equal(run.pass.input_gradients[0], unwanted, run.input_counts[0] * sizeof(float));
        memcpy(part.pass.parameter_gradients, frozen, sizeof frozen);
        layer_run_end(&run);
        layer_run_end(&part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_match_finite_differences),
        cmocka_unit_test(gradients_that_are_not_wanted_may_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
