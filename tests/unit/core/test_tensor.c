#include "../test.h"

static void a_new_tensor_is_zero_and_aligned(void **state)
{
    (void)state;
    cnn_tensor *tensor;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 3, (int64_t[]){ 2, 3, 4 }, &tensor));
    assert_int_equal(24, cnn_tensor_count(tensor));
    assert_int_equal(96, cnn_tensor_bytes(tensor));
    assert_int_equal(0, (uintptr_t)cnn_tensor_data(tensor) % 64);
    for (int i = 0; i < 24; i++)
        assert_true(((float *)cnn_tensor_data(tensor))[i] == 0);
    cnn_tensor_destroy(tensor);
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    cnn_tensor *tensor;
    assert_status(CNN_ERROR_LIMIT,
                  cnn_tensor_create(NULL, CNN_FLOAT32, 3, (int64_t[]){ INT64_MAX, INT64_MAX, 2 }, &tensor));
    assert_null(tensor);
    assert_status(CNN_ERROR_LIMIT, cnn_tensor_create(NULL, CNN_FLOAT32, 1, (int64_t[]){ INT64_MAX / 2 }, &tensor));
    const int64_t wraps = sizeof(size_t) < sizeof(int64_t) ? ((int64_t)1 << 32) + 1 : INT64_MAX; /* to 1 of 32 bits */
    assert_status(CNN_ERROR_LIMIT, cnn_tensor_create(NULL, CNN_UINT8, 2, (int64_t[]){ wraps, 2 }, &tensor));
    assert_status(CNN_ERROR_ARGUMENT, cnn_tensor_create(NULL, CNN_FLOAT32, 1, (int64_t[]){ -1 }, &tensor));
    assert_status(CNN_ERROR_ARGUMENT, cnn_tensor_create(NULL, CNN_FLOAT32, 7, (int64_t[7]){ 1 }, &tensor));
    assert_status(CNN_ERROR_ARGUMENT, cnn_tensor_create(NULL, CNN_FLOAT32, 2, NULL, &tensor));
    assert_string_equal("tensor: no dimensions were given for a rank of 2", cnn_last_error());
}

static void a_wrapped_tensor_borrows_the_callers_memory(void **state)
{
    (void)state;
    float memory[6] = { 1, 2, 3, 4, 5, 6 };
    cnn_tensor *tensor;
    assert_ok(cnn_tensor_wrap(NULL, CNN_FLOAT32, 2, (int64_t[]){ 2, 3 }, memory, &tensor));
    assert_ptr_equal(memory, cnn_tensor_data(tensor));
    cnn_tensor_destroy(tensor);
    assert_true(memory[5] == 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_tensor_is_zero_and_aligned),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_wrapped_tensor_borrows_the_callers_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
