/* The same results at any number of threads, in place or not, and nearly the same with every instruction set. */
#include <math.h>
#include <string.h>

#include "harness.h"

static void assert_same(const layer_run *a, const layer_run *b, const char *what, const float *x, const float *y,
                        size_t count)
{
    if (memcmp(x, y, count * sizeof *x))
        fail_msg("%s: %s differs (%u and %u threads)", a->what.name, what, cnn_context_threads(a->context),
                 cnn_context_threads(b->context));
}

static void assert_same_runs(const layer_run *a, const layer_run *b)
{
    assert_same(a, b, "output", a->output, b->output, a->output_count);
    for (int32_t i = 0; i < a->layer.input_count; i++)
        assert_same(a, b, "input gradient", a->pass.input_gradients[i], b->pass.input_gradients[i], a->input_counts[i]);
    for (int32_t i = 0; i < a->layer.parameter_count; i++) {
        const char *name = a->layer.parameters[i].name;
        assert_same(a, b, name, a->pass.parameters[i], b->pass.parameters[i], a->parameter_counts[i]);
        if (a->pass.parameter_gradients[i])
            assert_same(a, b, name, a->pass.parameter_gradients[i], b->pass.parameter_gradients[i],
                        a->parameter_counts[i]);
    }
}

static void the_bits_are_the_same_at_any_number_of_threads(void **state)
{
    (void)state;
    cnn_context *contexts[3];
    for (uint32_t i = 0; i < 3; i++)
        contexts[i] = make_context(1u << i, CNN_ISA_BEST);
    for (size_t i = 0; i < layer_case_count; i++) {
        layer_run runs[3];
        for (int k = 0; k < 3; k++) {
            layer_run_begin(&runs[k], &layer_cases[i], contexts[k]);
            layer_forward(&runs[k], true);
            layer_backward(&runs[k]);
        }
        assert_same_runs(&runs[0], &runs[1]);
        assert_same_runs(&runs[0], &runs[2]);
        for (int k = 0; k < 3; k++)
            layer_run_end(&runs[k]);
    }
    for (int i = 0; i < 3; i++)
        cnn_context_destroy(contexts[i]);
}

static void assert_near(const layer_run *run, const char *what, const float *x, const float *y, size_t count)
{
    float largest = 1;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    double size = (double)largest;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)x[i] - (double)y[i]) <= 1e-5 * size))
            fail_msg("%s: %s[%zu] is %.9g, not %.9g, with %s", run->what.name, what, i, (double)y[i], (double)x[i],
                     cnn_context_instruction_set(run->context));
}

static void every_instruction_set_gives_nearly_the_same(void **state)
{
    (void)state;
    cnn_context *plain = make_context(1, CNN_ISA_GENERIC);
    const cnn_instruction_set sets[] = { CNN_ISA_AVX2, CNN_ISA_AVX512, CNN_ISA_NEON };
    for (size_t k = 0; k < sizeof sets / sizeof sets[0]; k++) {
        cnn_context *context = make_context(1, sets[k]);
        for (size_t i = 0; i < layer_case_count; i++) {
            layer_run a, b;
            layer_run_begin(&a, &layer_cases[i], plain);
            layer_run_begin(&b, &layer_cases[i], context);
            layer_forward(&a, true);
            layer_forward(&b, true);
            layer_backward(&a);
            layer_backward(&b);
            assert_near(&b, "output", a.output, b.output, a.output_count);
            for (int32_t n = 0; n < a.layer.input_count; n++)
                assert_near(&b, "input gradient", a.pass.input_gradients[n], b.pass.input_gradients[n],
                            a.input_counts[n]);
            for (int32_t n = 0; n < a.layer.parameter_count; n++)
                if (a.pass.parameter_gradients[n])
                    assert_near(&b, a.layer.parameters[n].name, a.pass.parameter_gradients[n],
                                b.pass.parameter_gradients[n], a.parameter_counts[n]);
            layer_run_end(&a);
            layer_run_end(&b);
        }
        cnn_context_destroy(context);
    }
    cnn_context_destroy(plain);
}

static void layers_that_say_so_work_in_place(void **state)
{
    (void)state;
    int found = 0;
    for (size_t i = 0; i < layer_case_count; i++) {
        if (!layer_cases[i].type->in_place)
            continue;
        found++;
        layer_run apart, place;
        layer_run_begin(&apart, &layer_cases[i], NULL);
        layer_run_begin(&place, &layer_cases[i], NULL);
        layer_forward(&apart, true);
        layer_backward(&apart);

        float *output = place.output, *gradient = place.pass.input_gradients[0];
        if (!layer_cases[i].type->backward_needs_inputs)
            place.output = place.inputs[0];
        layer_forward(&place, true);
        place.pass.input_gradients[0] = place.output_gradient;
        layer_backward(&place);
        assert_same(&apart, &place, "output in place", apart.output, place.output, apart.output_count);
        assert_same(&apart, &place, "gradient in place", apart.pass.input_gradients[0], place.output_gradient,
                    apart.input_counts[0]);
        if (layer_cases[i].type->backward_needs_inputs) {
            place.output = place.inputs[0];
            layer_forward(&place, false);
            assert_same(&apart, &place, "output over the input", apart.output, place.output, apart.output_count);
        }
        place.output = output;
        place.pass.input_gradients[0] = gradient;
        layer_run_end(&apart);
        layer_run_end(&place);
    }
    assert_true(found > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_are_the_same_at_any_number_of_threads),
        cmocka_unit_test(every_instruction_set_gives_nearly_the_same),
        cmocka_unit_test(layers_that_say_so_work_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
