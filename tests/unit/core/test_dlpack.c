#include <string.h>

#include "../test.h"

static cnn_tensor *counted(void)
{
    cnn_tensor *tensor;
    assert_ok(cnn_tensor_create(NULL, CNN_FLOAT32, 2, (int64_t[]){ 2, 3 }, &tensor));
    for (int i = 0; i < 6; i++)
        ((float *)cnn_tensor_data(tensor))[i] = (float)i;
    return tensor;
}

static void an_exported_tensor_is_described_as_it_is(void **state)
{
    (void)state;
    cnn_tensor *tensor = counted();
    cnn_dlpack *dlpack;
    assert_ok(cnn_tensor_to_dlpack(tensor, &dlpack));
    assert_ptr_equal(cnn_tensor_data(tensor), dlpack->tensor.data);
    assert_int_equal(2, dlpack->tensor.rank);
    assert_int_equal(3, dlpack->tensor.dims[1]);
    assert_int_equal(3, dlpack->tensor.strides[0]);
    assert_int_equal(1, dlpack->tensor.strides[1]);
    assert_int_equal(2, dlpack->tensor.type_code);
    assert_int_equal(32, dlpack->tensor.type_bits);
    assert_int_equal(1, dlpack->tensor.type_lanes);
    assert_int_equal(1, dlpack->tensor.device_type);
    dlpack->deleter(dlpack);
    assert_true(((float *)cnn_tensor_data(tensor))[5] == 5);
    cnn_tensor_destroy(tensor);
}

static void exported_memory_outlives_its_tensor(void **state)
{
    (void)state;
    cnn_tensor *tensor = counted();
    cnn_dlpack *first, *second;
    assert_ok(cnn_tensor_to_dlpack(tensor, &first));
    assert_ok(cnn_tensor_to_dlpack(tensor, &second));
    cnn_tensor_destroy(tensor);
    first->deleter(first);
    assert_true(((float *)second->tensor.data)[5] == 5);
    second->deleter(second);
}

typedef struct foreign {
    cnn_dlpack dlpack;
    int64_t dims[2], strides[2];
    float memory[8];
    int deletions;
} foreign;

static void count_deletion(cnn_dlpack *self)
{
    ((foreign *)self->manager)->deletions++;
}

static void fill_foreign(foreign *f)
{
    *f = (foreign){ .dims = { 2, 3 }, .strides = { 3, 1 }, .memory = { 0, 1, 2, 3, 4, 5, 6, 7 } };
    f->dlpack = (cnn_dlpack){ .manager = f, .deleter = count_deletion };
    f->dlpack.tensor = (cnn_dlpack_tensor){ .data = f->memory,
                                            .device_type = 1,
                                            .rank = 2,
                                            .type_code = 2,
                                            .type_bits = 32,
                                            .type_lanes = 1,
                                            .dims = f->dims,
                                            .strides = f->strides,
                                            .byte_offset = 4 };
}

static void an_imported_tensor_reads_foreign_memory_and_gives_it_back_once(void **state)
{
    (void)state;
    foreign f;
    fill_foreign(&f);
    cnn_tensor *tensor;
    cnn_dlpack *again;
    assert_ok(cnn_tensor_from_dlpack(NULL, &f.dlpack, &tensor));
    assert_ptr_equal(f.memory + 1, cnn_tensor_data(tensor));
    assert_int_equal(6, cnn_tensor_count(tensor));
    assert_ok(cnn_tensor_to_dlpack(tensor, &again)); /* handed on */
    cnn_tensor_destroy(tensor);
    assert_int_equal(0, f.deletions);
    again->deleter(again);
    assert_int_equal(1, f.deletions);
    f.dlpack.tensor.strides = NULL;
    f.dlpack.deleter = NULL;
    assert_ok(cnn_tensor_from_dlpack(NULL, &f.dlpack, &tensor));
    cnn_tensor_destroy(tensor);
}

static void assert_refused(cnn_status expected, const foreign *f)
{
    foreign copy = *f;
    copy.dlpack.manager = &copy;
    if (copy.dlpack.tensor.dims == f->dims)
        copy.dlpack.tensor.dims = copy.dims;
    copy.dlpack.tensor.strides = copy.strides;
    cnn_tensor *tensor;
    assert_status(expected, cnn_tensor_from_dlpack(NULL, &copy.dlpack, &tensor));
    assert_null(tensor);
    assert_int_equal(0, copy.deletions);
}

static void what_cannot_be_taken_stays_the_givers(void **state)
{
    (void)state;
    foreign f;
    fill_foreign(&f);
    f.dlpack.tensor.device_type = 2;
    assert_refused(CNN_ERROR_UNSUPPORTED, &f);
    fill_foreign(&f);
    f.dlpack.tensor.type_bits = 64;
    assert_refused(CNN_ERROR_UNSUPPORTED, &f);
    fill_foreign(&f);
    f.strides[0] = 4;
    assert_refused(CNN_ERROR_UNSUPPORTED, &f);
    fill_foreign(&f);
    f.dlpack.tensor.byte_offset = 2;
    assert_refused(CNN_ERROR_UNSUPPORTED, &f);
    fill_foreign(&f);
    f.dlpack.tensor.rank = 7;
    assert_refused(CNN_ERROR_ARGUMENT, &f);
    fill_foreign(&f);
    f.dlpack.tensor.dims = NULL;
    assert_refused(CNN_ERROR_ARGUMENT, &f);
    fill_foreign(&f);
    f.dims[0] = f.dims[1] = f.strides[0] = INT64_MAX;
    assert_refused(CNN_ERROR_LIMIT, &f);
    fill_foreign(&f);
    f.dlpack.tensor.data = NULL;
    assert_refused(CNN_ERROR_ARGUMENT, &f);
}

static void null_is_refused(void **state)
{
    (void)state;
    cnn_tensor *tensor;
    cnn_dlpack *dlpack;
    assert_status(CNN_ERROR_ARGUMENT, cnn_tensor_to_dlpack(NULL, &dlpack));
    assert_status(CNN_ERROR_ARGUMENT, cnn_tensor_from_dlpack(NULL, NULL, &tensor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exported_tensor_is_described_as_it_is),
        cmocka_unit_test(exported_memory_outlives_its_tensor),
        cmocka_unit_test(an_imported_tensor_reads_foreign_memory_and_gives_it_back_once),
        cmocka_unit_test(what_cannot_be_taken_stays_the_givers),
        cmocka_unit_test(null_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
