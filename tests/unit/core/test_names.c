#include "../test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/names.h"

enum { COUNT = 20000 };

static char *texts[COUNT];

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        texts[i] = malloc(24);
        snprintf(texts[i], 24, "name_%d", i);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT; i++)
        free(texts[i]);
    return 0;
}

static cnn_names all_names(void)
{
    cnn_names names = { 0 };
    for (uint32_t i = 0; i < COUNT; i++)
        assert_true(cnn_names_add(NULL, &names, texts[i], i));
    return names;
}

static void a_name_is_found_by_its_text(void **state)
{
    (void)state;
    cnn_names names = { 0 };
    assert_int_equal(CNN_NO_PLACE, cnn_names_find(&names, "name_0"));
    names = all_names();
    for (uint32_t i = 0; i < COUNT; i++) {
        char copy[16];
        snprintf(copy, sizeof copy, "%s", texts[i]);
        assert_int_equal(i, cnn_names_find(&names, copy));
    }
    assert_int_equal(CNN_NO_PLACE, cnn_names_find(&names, "name_20000"));
    assert_int_equal(CNN_NO_PLACE, cnn_names_find(&names, ""));
    cnn_names_free(NULL, &names);
}

static void what_is_taken_out_is_gone_and_the_rest_stays(void **state)
{
    (void)state;
    cnn_names names = all_names();
    for (uint32_t i = 0; i < COUNT; i += 2)
        cnn_names_remove(&names, texts[i]);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(i % 2 ? i : CNN_NO_PLACE, cnn_names_find(&names, texts[i]));
    assert_int_equal(COUNT / 2, names.count);
    assert_true(cnn_names_add(NULL, &names, texts[0], 0));
    assert_int_equal(0, cnn_names_find(&names, texts[0]));
    cnn_names_free(NULL, &names);
}

static void places_behind_a_gap_move_down(void **state)
{
    (void)state;
    cnn_names names = { 0 };
    for (uint32_t i = 0; i < 4; i++)
        assert_true(cnn_names_add(NULL, &names, texts[i], i));
    cnn_names_remove(&names, texts[1]);
    cnn_names_close_gap(&names, 1);
    assert_int_equal(0, cnn_names_find(&names, texts[0]));
    assert_int_equal(1, cnn_names_find(&names, texts[2]));
    assert_int_equal(2, cnn_names_find(&names, texts[3]));
    cnn_names_free(NULL, &names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_found_by_its_text),
        cmocka_unit_test(what_is_taken_out_is_gone_and_the_rest_stays),
        cmocka_unit_test(places_behind_a_gap_move_down),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
