"""libcnn's C interface as text: what the headers declare, without their comments.

`python3 tests/python/declarations.py --update` writes this text, and a test holds it against the headers."""
from __future__ import annotations

import re

VERSION = "0.2.0"
SONAME = "libcnn.so.1"

DECLARATIONS = """
typedef enum cnn_status { CNN_OK = 0, CNN_ERROR_ARGUMENT = -1, CNN_ERROR_OUT_OF_MEMORY = -2, CNN_ERROR_IO = -3,
    CNN_ERROR_FORMAT = -4, CNN_ERROR_UNSUPPORTED = -5, CNN_ERROR_LIMIT = -6, CNN_ERROR_SHAPE = -7,
    CNN_ERROR_NOT_FINITE = -8, CNN_ERROR_STOPPED = -9, CNN_ERROR_DATA = -10, CNN_STATUS_MAX_ENUM = 0x7fffffff }
    cnn_status;
CNN_API const char *cnn_status_name(cnn_status status);
CNN_API const char *cnn_last_error(void);
typedef struct cnn_context cnn_context;
typedef enum cnn_log_level { CNN_LOG_DEBUG = 0, CNN_LOG_INFO = 1, CNN_LOG_WARNING = 2, CNN_LOG_LEVEL_MAX_ENUM =
    0x7fffffff } cnn_log_level;
typedef void (*cnn_log_callback)(cnn_log_level level, const char *message, void *user);
typedef enum cnn_instruction_set { CNN_ISA_BEST = 0, CNN_ISA_GENERIC = 1, CNN_ISA_AVX2 = 2, CNN_ISA_AVX512 = 3,
    CNN_ISA_NEON = 4, CNN_INSTRUCTION_SET_MAX_ENUM = 0x7fffffff } cnn_instruction_set;
typedef struct cnn_context_options { uint32_t struct_size; uint32_t threads; cnn_instruction_set instruction_set; void
    *(*allocate)(size_t size, void *user); void (*release)(void *memory, void *user); void *allocator_user;
    cnn_log_callback log; void *log_user; uint64_t image_memory_limit; uint64_t image_operation_limit; uint64_t
    memory_limit; uint64_t max_pixels; } cnn_context_options;
CNN_API cnn_status cnn_context_create(const cnn_context_options *options, cnn_context **context);
CNN_API void cnn_context_destroy(cnn_context *context);
CNN_API cnn_status cnn_context_set_log(cnn_context *context, cnn_log_callback log, void *user);
CNN_API void cnn_context_cancel(cnn_context *context);
CNN_API uint32_t cnn_context_threads(const cnn_context *context);
CNN_API const char *cnn_context_instruction_set(const cnn_context *context);
CNN_API uint64_t cnn_context_memory_in_use(const cnn_context *context);
CNN_API uint64_t cnn_context_memory_peak(const cnn_context *context);
CNN_API void cnn_text_free(char *text);
CNN_API void cnn_bytes_free(void *bytes);
CNN_API uint32_t cnn_limit_threads(uint32_t threads);
typedef struct cnn_tensor cnn_tensor;
enum { CNN_MAX_RANK = 6 };
typedef enum cnn_dtype { CNN_FLOAT32 = 0, CNN_UINT8 = 1, CNN_INT32 = 2, CNN_INT64 = 3, CNN_BFLOAT16 = 4, CNN_INT8 = 5,
    CNN_DTYPE_MAX_ENUM = 0x7fffffff } cnn_dtype;
CNN_API size_t cnn_dtype_size(cnn_dtype dtype);
CNN_API cnn_status cnn_tensor_create(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims,
    cnn_tensor **tensor);
CNN_API cnn_status cnn_tensor_wrap(cnn_context *context, cnn_dtype dtype, int32_t rank, const int64_t *dims, void
    *data, cnn_tensor **tensor);
CNN_API void cnn_tensor_destroy(cnn_tensor *tensor);
CNN_API cnn_dtype cnn_tensor_dtype(const cnn_tensor *tensor);
CNN_API int32_t cnn_tensor_rank(const cnn_tensor *tensor);
CNN_API int64_t cnn_tensor_dim(const cnn_tensor *tensor, int32_t axis);
CNN_API int64_t cnn_tensor_count(const cnn_tensor *tensor);
CNN_API size_t cnn_tensor_bytes(const cnn_tensor *tensor);
CNN_API void *cnn_tensor_data(cnn_tensor *tensor);
CNN_API const void *cnn_tensor_const_data(const cnn_tensor *tensor);
typedef enum cnn_image_format { CNN_IMAGE_UNKNOWN = 0, CNN_IMAGE_JPEG = 1, CNN_IMAGE_PNG = 2,
    CNN_IMAGE_FORMAT_MAX_ENUM = 0x7fffffff } cnn_image_format;
enum { CNN_IMAGE_MAX_SIDE = 65535 };
typedef struct cnn_image_options { uint32_t struct_size; uint32_t allow_truncated; uint32_t min_width, min_height;
    uint64_t max_pixels; uint64_t max_file_bytes; } cnn_image_options;
typedef struct cnn_image_info { uint32_t struct_size; cnn_image_format format; uint32_t width, height; uint32_t
    channels; uint32_t orientation; } cnn_image_info;
CNN_API cnn_status cnn_image_probe(const void *bytes, size_t size, const char *name, cnn_image_info *info);
CNN_API cnn_status cnn_image_decode(cnn_context *context, const void *bytes, size_t size, const char *name, const
    cnn_image_options *options, cnn_tensor **pixels);
CNN_API cnn_status cnn_image_load(cnn_context *context, const char *path, const cnn_image_options *options, cnn_tensor
    **pixels);
typedef enum cnn_fit { CNN_FIT_STRETCH = 0, CNN_FIT_CROP = 1, CNN_FIT_LETTERBOX = 2, CNN_FIT_MAX_ENUM = 0x7fffffff }
    cnn_fit;
typedef struct cnn_preprocess { uint32_t struct_size; uint32_t width, height; cnn_fit fit; float mean[3]; float
    scale[3]; } cnn_preprocess;
CNN_API cnn_status cnn_image_preprocess(cnn_context *context, const cnn_tensor *pixels, const cnn_preprocess
    *preprocess, float *output);
CNN_API cnn_status cnn_image_resize(cnn_context *context, const cnn_tensor *pixels, uint32_t width, uint32_t height,
    cnn_fit fit, cnn_tensor **resized);
typedef struct cnn_augment { uint32_t struct_size; uint32_t flip_horizontal; uint32_t flip_vertical; float rotation;
    float zoom; float shift; float shear; float brightness; float contrast; float saturation; float crop_min_area,
    crop_max_aspect; float erase; } cnn_augment;
CNN_API cnn_status cnn_augment_parse(const char *list, cnn_augment *augment);
CNN_API cnn_status cnn_augment_apply(cnn_context *context, const cnn_tensor *pixels, const cnn_augment *augment, const
    cnn_preprocess *preprocess, uint64_t seed, uint32_t epoch, uint64_t image, float *output);
typedef struct cnn_dataset cnn_dataset;
typedef enum cnn_part { CNN_PART_AUTO = 0, CNN_PART_TRAIN = 1, CNN_PART_TEST = 2, CNN_PART_ALL = 3,
    CNN_PART_VALIDATION = 4, CNN_PART_MAX_ENUM = 0x7fffffff } cnn_part;
typedef struct cnn_dataset_options { uint32_t struct_size; cnn_part part; uint32_t unlabelled; uint32_t max_classes;
    uint64_t max_file_bytes; uint64_t max_unpacked_bytes, max_decoded_bytes; } cnn_dataset_options;
CNN_API cnn_status cnn_dataset_open(cnn_context *context, const char *path, const cnn_dataset_options *options,
    cnn_dataset **dataset);
CNN_API cnn_status cnn_dataset_create_from_pixels(cnn_context *context, const cnn_tensor *const *images, const int32_t
    *labels, uint64_t count, const char *const *class_names, uint32_t class_count, cnn_dataset **dataset);
CNN_API void cnn_dataset_destroy(cnn_dataset *dataset);
typedef struct cnn_dataset_source { uint32_t struct_size; uint32_t class_count; uint64_t count; const char *const
    *class_names; const int32_t *labels; const char *const *names; int (*read)(uint64_t index, const void **bytes,
    size_t *size, void *user); void (*release)(const void *bytes, void *user); void *read_user; } cnn_dataset_source;
CNN_API cnn_status cnn_dataset_create_from_source(cnn_context *context, const cnn_dataset_source *source, cnn_dataset
    **dataset);
CNN_API uint32_t cnn_dataset_has_test_part(cnn_context *context, const char *path);
typedef struct cnn_dataset_parts { uint32_t struct_size; uint32_t divided; uint64_t training, validation, test; }
    cnn_dataset_parts;
CNN_API cnn_status cnn_dataset_get_parts(const cnn_dataset *dataset, cnn_dataset_parts *parts);
CNN_API uint64_t cnn_dataset_count(const cnn_dataset *dataset);
CNN_API uint32_t cnn_dataset_class_count(const cnn_dataset *dataset);
CNN_API const char *cnn_dataset_class_name(const cnn_dataset *dataset, uint32_t class_index);
CNN_API const char *cnn_dataset_path(const cnn_dataset *dataset, uint64_t index);
CNN_API int32_t cnn_dataset_label(const cnn_dataset *dataset, uint64_t index);
CNN_API cnn_status cnn_dataset_read(const cnn_dataset *dataset, uint64_t index, void **bytes, size_t *size);
CNN_API cnn_status cnn_dataset_decode(const cnn_dataset *dataset, uint64_t index, const cnn_image_options *options,
    cnn_tensor **pixels);
CNN_API cnn_status cnn_dataset_align_classes(cnn_dataset *dataset, const char *const *names, uint32_t count);
CNN_API cnn_status cnn_dataset_split(const cnn_dataset *dataset, double fraction, uint64_t seed, cnn_dataset **rest,
    cnn_dataset **part);
typedef void (*cnn_bad_file_callback)(const char *path, const char *reason, void *user);
typedef int (*cnn_progress_callback)(uint64_t done, uint64_t total, void *user);
typedef struct cnn_verify_options { uint32_t struct_size; uint32_t find_duplicates; cnn_bad_file_callback bad_file;
    void *bad_file_user; cnn_progress_callback progress; void *progress_user; } cnn_verify_options;
CNN_API cnn_status cnn_dataset_verify(cnn_dataset *dataset, const cnn_verify_options *options, uint64_t *bad_count);
typedef int (*cnn_duplicate_callback)(uint64_t index, uint64_t equal, void *user);
CNN_API cnn_status cnn_dataset_find_duplicates(const cnn_dataset *dataset, const cnn_dataset *among,
    cnn_duplicate_callback found, void *user);
typedef struct cnn_loader cnn_loader;
typedef struct cnn_loader_options { uint32_t struct_size; uint32_t batch_size; uint32_t shuffle; uint32_t workers;
    uint32_t prefetch_batches; uint64_t seed; uint64_t cache_bytes; const cnn_augment *augment; const cnn_preprocess
    *preprocess; } cnn_loader_options;
typedef struct cnn_batch { uint32_t struct_size; uint32_t count; cnn_tensor *images; const int32_t *labels; const
    uint64_t *indices; } cnn_batch;
CNN_API cnn_status cnn_loader_create(cnn_context *context, const cnn_dataset *dataset, const cnn_loader_options
    *options, cnn_loader **loader);
CNN_API void cnn_loader_destroy(cnn_loader *loader);
CNN_API cnn_status cnn_loader_start(cnn_loader *loader, uint32_t epoch);
CNN_API cnn_status cnn_loader_next(cnn_loader *loader, cnn_batch *batch);
CNN_API uint64_t cnn_loader_batch_count(const cnn_loader *loader);
typedef struct cnn_graph cnn_graph;
typedef int32_t cnn_node;
typedef enum cnn_padding { CNN_PADDING_VALID = 0, CNN_PADDING_SAME = 1, CNN_PADDING_EXPLICIT = 2, CNN_PADDING_MAX_ENUM
    = 0x7fffffff } cnn_padding;
typedef enum cnn_initializer { CNN_INIT_DEFAULT = 0, CNN_INIT_HE_NORMAL = 1, CNN_INIT_HE_UNIFORM = 2,
    CNN_INIT_GLOROT_NORMAL = 3, CNN_INIT_GLOROT_UNIFORM = 4, CNN_INIT_ZEROS = 5, CNN_INITIALIZER_MAX_ENUM = 0x7fffffff
    } cnn_initializer;
CNN_API cnn_status cnn_graph_create(cnn_context *context, cnn_graph **graph);
CNN_API void cnn_graph_destroy(cnn_graph *graph);
CNN_API cnn_status cnn_graph_status(const cnn_graph *graph);
CNN_API cnn_node cnn_input(cnn_graph *graph, int64_t height, int64_t width, int64_t channels);
CNN_API cnn_node cnn_graph_set_name(cnn_graph *graph, cnn_node node, const char *name);
typedef struct cnn_conv2d_options { uint32_t struct_size; int32_t kernel[2]; int32_t stride[2]; int32_t dilation[2];
    int32_t groups; cnn_padding padding; int32_t pads[4]; uint32_t no_bias; cnn_initializer weight_init; }
    cnn_conv2d_options;
CNN_API cnn_node cnn_conv2d(cnn_graph *graph, cnn_node input, int64_t filters, const cnn_conv2d_options *options);
typedef struct cnn_pool2d_options { uint32_t struct_size; int32_t kernel[2]; int32_t stride[2]; cnn_padding padding;
    int32_t pads[4]; } cnn_pool2d_options;
CNN_API cnn_node cnn_max_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);
CNN_API cnn_node cnn_avg_pool2d(cnn_graph *graph, cnn_node input, const cnn_pool2d_options *options);
CNN_API cnn_node cnn_global_avg_pool(cnn_graph *graph, cnn_node input);
typedef struct cnn_dense_options { uint32_t struct_size; uint32_t no_bias; cnn_initializer weight_init; }
    cnn_dense_options;
CNN_API cnn_node cnn_dense(cnn_graph *graph, cnn_node input, int64_t units, const cnn_dense_options *options);
CNN_API cnn_node cnn_flatten(cnn_graph *graph, cnn_node input);
typedef struct cnn_batch_norm_options { uint32_t struct_size; float momentum; float epsilon; } cnn_batch_norm_options;
CNN_API cnn_node cnn_batch_norm(cnn_graph *graph, cnn_node input, const cnn_batch_norm_options *options);
CNN_API cnn_node cnn_dropout(cnn_graph *graph, cnn_node input, float rate);
CNN_API cnn_node cnn_relu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_leaky_relu(cnn_graph *graph, cnn_node input, float slope);
CNN_API cnn_node cnn_relu6(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_sigmoid(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_tanh(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_softmax(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_silu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_hard_swish(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_hard_sigmoid(cnn_graph *graph, cnn_node input, float slope, float offset);
typedef enum cnn_gelu_form { CNN_GELU_EXACT = 0, CNN_GELU_TANH = 1, CNN_GELU_FORM_MAX_ENUM = 0x7fffffff }
    cnn_gelu_form;
CNN_API cnn_node cnn_gelu(cnn_graph *graph, cnn_node input, cnn_gelu_form form);
CNN_API cnn_node cnn_elu(cnn_graph *graph, cnn_node input, float alpha);
CNN_API cnn_node cnn_selu(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_softplus(cnn_graph *graph, cnn_node input);
CNN_API cnn_node cnn_clip(cnn_graph *graph, cnn_node input, float min, float max);
CNN_API cnn_node cnn_add(cnn_graph *graph, cnn_node a, cnn_node b);
CNN_API cnn_node cnn_concat(cnn_graph *graph, const cnn_node *inputs, int32_t count);
CNN_API cnn_node cnn_rescale(cnn_graph *graph, cnn_node input, float scale, float offset);
CNN_API cnn_node cnn_normalize(cnn_graph *graph, cnn_node input, const float *mean, const float *deviation);
CNN_API void cnn_graph_set_output(cnn_graph *graph, cnn_node node);
CNN_API int32_t cnn_graph_node_count(const cnn_graph *graph);
CNN_API const char *cnn_graph_node_name(const cnn_graph *graph, cnn_node node);
CNN_API const char *cnn_graph_node_type(const cnn_graph *graph, cnn_node node);
CNN_API int32_t cnn_graph_node_dims(const cnn_graph *graph, cnn_node node, int64_t *dims, int32_t capacity);
CNN_API int32_t cnn_graph_node_inputs(const cnn_graph *graph, cnn_node node, cnn_node *inputs, int32_t capacity);
CNN_API cnn_node cnn_graph_find(const cnn_graph *graph, const char *name);
CNN_API cnn_status cnn_graph_truncate(cnn_context *context, const cnn_graph *graph, const char *layer, cnn_graph
    **truncated);
CNN_API cnn_status cnn_graph_to_json(const cnn_graph *graph, char **text);
CNN_API cnn_status cnn_graph_from_json(cnn_context *context, const char *text, size_t length, cnn_graph **graph);
typedef struct cnn_net_options { uint32_t struct_size; uint32_t size; uint32_t outputs; uint32_t batch_norm; float
    dropout; float width; } cnn_net_options;
CNN_API cnn_status cnn_graph_create_net(cnn_context *context, const char *name, const cnn_net_options *options,
    cnn_graph **graph);
CNN_API const char *cnn_net_name(uint32_t index);
typedef enum cnn_loss { CNN_LOSS_AUTO = 0, CNN_LOSS_BINARY_CROSS_ENTROPY = 1, CNN_LOSS_CATEGORICAL_CROSS_ENTROPY = 2,
    CNN_LOSS_MAX_ENUM = 0x7fffffff } cnn_loss;
CNN_API cnn_status cnn_loss_compute(cnn_loss loss, float label_smoothing, const cnn_tensor *logits, const cnn_tensor
    *targets, double *value, cnn_tensor *gradient);
enum { CNN_MAX_METRIC_CLASSES = 1000 };
typedef struct cnn_metrics cnn_metrics;
CNN_API cnn_status cnn_metrics_create(cnn_context *context, uint32_t classes, cnn_metrics **metrics);
CNN_API void cnn_metrics_destroy(cnn_metrics *metrics);
CNN_API void cnn_metrics_reset(cnn_metrics *metrics);
CNN_API cnn_status cnn_metrics_add(cnn_metrics *metrics, uint32_t label, const float *probabilities, uint32_t
    predicted, double loss);
typedef struct cnn_metrics_result { uint32_t struct_size; uint32_t classes; uint64_t images; double loss; double
    accuracy; double precision, recall, f1; double auc; double calibration_error; } cnn_metrics_result;
CNN_API cnn_status cnn_metrics_compute(const cnn_metrics *metrics, cnn_metrics_result *result);
typedef struct cnn_class_result { uint32_t struct_size; uint64_t images; double precision; double recall; double f1; }
    cnn_class_result;
CNN_API cnn_status cnn_metrics_compute_class(const cnn_metrics *metrics, uint32_t class_index, cnn_class_result
    *result);
CNN_API uint64_t cnn_metrics_confusion(const cnn_metrics *metrics, uint32_t label, uint32_t predicted);
CNN_API cnn_status cnn_file_save(const char *path, const void *bytes, size_t size);
typedef struct cnn_file_callbacks { uint32_t struct_size; const char *name; uint64_t size; int (*read_at)(uint64_t
    offset, void *to, size_t size, size_t *done, void *user); int (*write)(const void *bytes, size_t size, void
    *user); void *user; } cnn_file_callbacks;
typedef struct cnn_model cnn_model;
CNN_API cnn_status cnn_model_create(cnn_context *context, const cnn_graph *graph, uint64_t seed, cnn_model **model);
CNN_API void cnn_model_destroy(cnn_model *model);
CNN_API const cnn_graph *cnn_model_graph(const cnn_model *model);
CNN_API int32_t cnn_model_input_dims(const cnn_model *model, int64_t *dims, int32_t capacity);
CNN_API int32_t cnn_model_output_dims(const cnn_model *model, int64_t *dims, int32_t capacity);
CNN_API cnn_status cnn_model_resize(cnn_model *model, int64_t height, int64_t width);
CNN_API cnn_status cnn_model_predict(const cnn_model *model, const cnn_tensor *input, cnn_tensor *output);
CNN_API cnn_status cnn_model_prediction_memory(const cnn_model *model, uint64_t images, uint64_t *bytes);
CNN_API cnn_status cnn_model_predict_layers(const cnn_model *model, const cnn_tensor *input, const char *const
    *layers, uint32_t count, cnn_tensor **values);
CNN_API cnn_status cnn_model_forward(cnn_model *model, const cnn_tensor *input, uint64_t seed, uint64_t step, const
    cnn_tensor **output);
CNN_API cnn_status cnn_model_backward(cnn_model *model, const cnn_tensor *output_gradient);
typedef enum cnn_precision { CNN_PRECISION_FLOAT32 = 0, CNN_PRECISION_BFLOAT16 = 1, CNN_PRECISION_AUTO = 2,
    CNN_PRECISION_MAX_ENUM = 0x7fffffff } cnn_precision;
CNN_API cnn_status cnn_model_set_precision(cnn_model *model, cnn_precision precision);
typedef struct cnn_parameter { uint32_t struct_size; const char *name; cnn_tensor *value; cnn_tensor *gradient;
    uint32_t trainable; uint32_t decay; } cnn_parameter;
CNN_API int32_t cnn_model_parameter_count(const cnn_model *model);
CNN_API cnn_status cnn_model_parameter(const cnn_model *model, int32_t index, cnn_parameter *parameter);
CNN_API void cnn_model_changed(cnn_model *model);
CNN_API cnn_status cnn_model_copy_weights(cnn_model *model, const cnn_model *source, int32_t *copied);
CNN_API cnn_status cnn_model_set_learning_rate_multiplier(cnn_model *model, const char *layer, float multiplier);
CNN_API uint64_t cnn_model_weight_count(const cnn_model *model, uint64_t *trainable);
CNN_API uint64_t cnn_model_flops(const cnn_model *model);
CNN_API cnn_status cnn_model_time_layers(const cnn_model *model, const cnn_tensor *input, double *seconds, int32_t
    count);
CNN_API cnn_status cnn_model_program_text(const cnn_model *model, const cnn_tensor *input, char **text);
CNN_API cnn_status cnn_model_program_dot(const cnn_model *model, const cnn_tensor *input, char **text);
CNN_API cnn_status cnn_model_set_metadata(cnn_model *model, const char *key, const char *text);
CNN_API const char *cnn_model_metadata(const cnn_model *model, const char *key);
CNN_API cnn_status cnn_model_summary(const cnn_model *model, char **text);
CNN_API cnn_status cnn_model_save(const cnn_model *model, const char *path);
CNN_API cnn_status cnn_model_save_as(const cnn_model *model, const char *path, cnn_dtype weights);
CNN_API cnn_status cnn_model_load(cnn_context *context, const char *path, cnn_model **model);
CNN_API cnn_status cnn_model_save_to_memory(const cnn_model *model, cnn_dtype weights, void **bytes, size_t *size);
CNN_API cnn_status cnn_model_load_from_memory(cnn_context *context, const void *bytes, size_t size, cnn_model
    **model);
CNN_API cnn_status cnn_model_save_to_callbacks(const cnn_model *model, cnn_dtype weights, const cnn_file_callbacks
    *callbacks);
CNN_API cnn_status cnn_model_load_from_callbacks(cnn_context *context, const cnn_file_callbacks *callbacks, cnn_model
    **model);
typedef struct cnn_optimizer cnn_optimizer;
typedef enum cnn_optimizer_kind { CNN_ADAM = 0, CNN_ADAMW = 1, CNN_SGD = 2, CNN_RMSPROP = 3, CNN_SGDW = 4,
    CNN_OPTIMIZER_KIND_MAX_ENUM = 0x7fffffff } cnn_optimizer_kind;
CNN_API const char *cnn_optimizer_kind_name(cnn_optimizer_kind kind);
typedef struct cnn_optimizer_options { uint32_t struct_size; cnn_optimizer_kind kind; float learning_rate; float
    momentum; uint32_t nesterov; float beta1, beta2; float alpha; float epsilon; float weight_decay; float clip_norm;
    } cnn_optimizer_options;
CNN_API cnn_status cnn_optimizer_create(cnn_model *model, const cnn_optimizer_options *options, cnn_optimizer
    **optimizer);
CNN_API void cnn_optimizer_destroy(cnn_optimizer *optimizer);
CNN_API cnn_status cnn_optimizer_step(cnn_optimizer *optimizer, float learning_rate);
typedef enum cnn_schedule_kind { CNN_SCHEDULE_CONSTANT = 0, CNN_SCHEDULE_STEP = 1, CNN_SCHEDULE_EXPONENTIAL = 2,
    CNN_SCHEDULE_COSINE = 3, CNN_SCHEDULE_ONE_CYCLE = 4, CNN_SCHEDULE_PLATEAU = 5, CNN_SCHEDULE_KIND_MAX_ENUM =
    0x7fffffff } cnn_schedule_kind;
CNN_API const char *cnn_schedule_kind_name(cnn_schedule_kind kind);
typedef struct cnn_schedule { uint32_t struct_size; cnn_schedule_kind kind; float warmup; float gamma; uint32_t
    step_epochs; uint32_t patience; float final_factor; } cnn_schedule;
CNN_API double cnn_schedule_factor(const cnn_schedule *schedule, double progress, uint32_t epochs);
typedef struct cnn_epoch { uint32_t struct_size; uint32_t epoch; double learning_rate; double loss, accuracy; double
    validation_loss, validation_accuracy; double seconds; uint64_t images; } cnn_epoch;
typedef struct cnn_progress { uint32_t struct_size; uint32_t epoch, epochs; uint64_t step, steps; uint64_t images;
    uint32_t validating; double loss, accuracy; double learning_rate; double seconds; } cnn_progress;
typedef struct cnn_history cnn_history;
typedef struct cnn_train_hooks cnn_train_hooks;
typedef struct cnn_train_options { uint32_t struct_size; uint32_t epochs; uint32_t batch_size; uint64_t seed; const
    cnn_optimizer_options *optimizer; const cnn_schedule *schedule; cnn_loss loss; float label_smoothing;
    cnn_precision precision; const cnn_augment *augment; const cnn_preprocess *preprocess; float ema_decay; uint32_t
    early_stopping; uint32_t keep_last; uint32_t workers; uint64_t cache_bytes; const char *checkpoint; uint32_t
    resume; const char *history; int (*on_step)(const cnn_progress *progress, void *user); void *on_step_user; int
    (*on_epoch)(const cnn_epoch *epoch, void *user); void *on_epoch_user; uint32_t first_size, last_size; float mixup,
    cutmix; const cnn_train_hooks *hooks; const cnn_history *earlier; } cnn_train_options;
CNN_API uint32_t cnn_history_count(const cnn_history *history);
CNN_API cnn_status cnn_history_get(const cnn_history *history, uint32_t index, cnn_epoch *epoch);
CNN_API uint32_t cnn_history_best(const cnn_history *history);
CNN_API void cnn_history_destroy(cnn_history *history);
CNN_API cnn_status cnn_train(cnn_model *model, const cnn_dataset *training, const cnn_dataset *validation, const
    cnn_train_options *options, cnn_history **history);
typedef struct cnn_sample_result { uint32_t struct_size; uint64_t image; uint32_t label, predicted; const float
    *probabilities; double loss; } cnn_sample_result;
typedef struct cnn_evaluate_options { uint32_t struct_size; uint32_t batch_size; uint32_t workers; float threshold;
    const cnn_preprocess *preprocess; cnn_progress_callback progress; void *progress_user; uint32_t flip; float
    temperature; int (*on_image)(const cnn_sample_result *result, void *user); void *on_image_user; }
    cnn_evaluate_options;
typedef struct cnn_training_batch { uint32_t struct_size; uint32_t count; uint32_t epoch; uint32_t outputs; uint64_t
    step; cnn_tensor *images; cnn_tensor *targets; const int32_t *labels; const uint64_t *indices; }
    cnn_training_batch;
typedef struct cnn_train_hooks { uint32_t struct_size; int (*on_batch)(const cnn_training_batch *batch, void *user);
    void *on_batch_user; cnn_status (*loss)(const cnn_tensor *logits, const cnn_tensor *targets, double *value,
    cnn_tensor *gradient, void *user); void *loss_user; } cnn_train_hooks;
CNN_API cnn_status cnn_evaluate(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options
    *options, cnn_metrics **metrics);
CNN_API cnn_status cnn_calibrate(const cnn_model *model, const cnn_dataset *dataset, const cnn_evaluate_options
    *options, float *temperature);
typedef struct cnn_classifier cnn_classifier;
typedef struct cnn_classifier_options { uint32_t struct_size; uint32_t classes; const cnn_net_options *net; const
    cnn_preprocess *preprocess; uint64_t seed; } cnn_classifier_options;
CNN_API cnn_status cnn_classifier_create(cnn_context *context, const char *net, const cnn_classifier_options *options,
    cnn_classifier **classifier);
CNN_API cnn_status cnn_classifier_create_from_graph(cnn_context *context, const cnn_graph *graph, const
    cnn_classifier_options *options, cnn_classifier **classifier);
CNN_API cnn_status cnn_classifier_create_from_model(cnn_context *context, const cnn_model *pretrained, const
    cnn_classifier_options *options, cnn_classifier **classifier);
CNN_API void cnn_classifier_destroy(cnn_classifier *classifier);
CNN_API cnn_status cnn_classifier_fit(cnn_classifier *classifier, const cnn_dataset *training, const cnn_dataset
    *validation, const cnn_train_options *options);
CNN_API cnn_status cnn_classifier_fit_with_history(cnn_classifier *classifier, const cnn_dataset *training, const
    cnn_dataset *validation, const cnn_train_options *options, cnn_history **history);
CNN_API cnn_status cnn_classifier_fit_head(cnn_classifier *classifier, const char *layer, const cnn_dataset *training,
    const cnn_dataset *validation, const cnn_train_options *options, cnn_history **history);
CNN_API cnn_status cnn_classifier_evaluate(const cnn_classifier *classifier, const cnn_dataset *dataset, cnn_metrics
    **metrics);
CNN_API cnn_status cnn_classifier_calibrate(cnn_classifier *classifier, const cnn_dataset *dataset);
CNN_API float cnn_classifier_temperature(const cnn_classifier *classifier);
CNN_API cnn_status cnn_classifier_set_threshold(cnn_classifier *classifier, float threshold);
CNN_API float cnn_classifier_threshold(const cnn_classifier *classifier);
CNN_API cnn_status cnn_classifier_set_flip(cnn_classifier *classifier, uint32_t flip);
CNN_API uint32_t cnn_classifier_flip(const cnn_classifier *classifier);
CNN_API cnn_status cnn_classifier_resize(cnn_classifier *classifier, uint32_t height, uint32_t width);
typedef struct cnn_prediction { uint32_t struct_size; cnn_status status; int32_t class_index; float confidence; float
    probability; uint32_t class_count; const char *label; float *probabilities; char *error; uint32_t
    probability_capacity; uint32_t error_capacity; } cnn_prediction;
CNN_API cnn_status cnn_classifier_predict_file(const cnn_classifier *classifier, const char *path, cnn_prediction
    *prediction);
CNN_API cnn_status cnn_classifier_predict_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
    cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels,
    cnn_prediction *prediction);
CNN_API cnn_status cnn_classifier_predict_files(const cnn_classifier *classifier, const char *const *paths, size_t
    count, cnn_prediction *predictions);
CNN_API cnn_status cnn_classifier_predict_memories(const cnn_classifier *classifier, const void *const *bytes, const
    size_t *sizes, size_t count, cnn_prediction *predictions);
CNN_API uint32_t cnn_top_classes(const float *probabilities, uint32_t class_count, uint32_t *classes, uint32_t
    capacity);
CNN_API uint32_t cnn_classifier_class_count(const cnn_classifier *classifier);
CNN_API const char *cnn_classifier_class_name(const cnn_classifier *classifier, uint32_t class_index);
CNN_API const cnn_preprocess *cnn_classifier_preprocess(const cnn_classifier *classifier);
CNN_API cnn_model *cnn_classifier_model(cnn_classifier *classifier);
CNN_API void cnn_classifier_evaluate_options(const cnn_classifier *classifier, cnn_evaluate_options *options);
CNN_API cnn_status cnn_classifier_save(const cnn_classifier *classifier, const char *path);
CNN_API cnn_status cnn_classifier_load(cnn_context *context, const char *path, cnn_classifier **classifier);
CNN_API cnn_status cnn_classifier_save_to_memory(const cnn_classifier *classifier, void **bytes, size_t *size);
CNN_API cnn_status cnn_classifier_load_from_memory(cnn_context *context, const void *bytes, size_t size,
    cnn_classifier **classifier);
CNN_API cnn_status cnn_classifier_save_to_callbacks(const cnn_classifier *classifier, const cnn_file_callbacks
    *callbacks);
CNN_API cnn_status cnn_classifier_load_from_callbacks(cnn_context *context, const cnn_file_callbacks *callbacks,
    cnn_classifier **classifier);
typedef struct cnn_dlpack_tensor { void *data; int32_t device_type; int32_t device_id; int32_t rank; uint8_t
    type_code; uint8_t type_bits; uint16_t type_lanes; int64_t *dims; int64_t *strides; uint64_t byte_offset; }
    cnn_dlpack_tensor;
typedef struct cnn_dlpack { cnn_dlpack_tensor tensor; void *manager; void (*deleter)(struct cnn_dlpack *self); }
    cnn_dlpack;
CNN_API cnn_status cnn_tensor_to_dlpack(cnn_tensor *tensor, cnn_dlpack **dlpack);
CNN_API cnn_status cnn_tensor_from_dlpack(cnn_context *context, cnn_dlpack *dlpack, cnn_tensor **tensor);
CNN_API cnn_status cnn_model_heat_map(const cnn_model *model, const cnn_tensor *input, int32_t class_index, cnn_tensor
    **map);
CNN_API cnn_status cnn_classifier_explain_file(const cnn_classifier *classifier, const char *path, int32_t
    class_index, cnn_prediction *prediction, cnn_tensor **map);
CNN_API cnn_status cnn_classifier_explain_memory(const cnn_classifier *classifier, const void *bytes, size_t size,
    int32_t class_index, cnn_prediction *prediction, cnn_tensor **map);
CNN_API cnn_status cnn_classifier_explain_pixels(const cnn_classifier *classifier, const cnn_tensor *pixels, int32_t
    class_index, cnn_prediction *prediction, cnn_tensor **map);
typedef struct cnn_onnx_options { uint32_t struct_size; uint32_t height, width; } cnn_onnx_options;
CNN_API cnn_status cnn_model_load_onnx(cnn_context *context, const char *path, const cnn_onnx_options *options,
    cnn_model **model);
CNN_API cnn_status cnn_model_save_onnx(const cnn_model *model, const char *path);
CNN_API cnn_status cnn_model_quantize(const cnn_model *model, const cnn_tensor *images, cnn_model **quantized);
CNN_API uint32_t cnn_model_is_quantized(const cnn_model *model);
typedef struct cnn_quantize_options { uint32_t struct_size; uint32_t images; uint64_t seed; int (*progress)(uint64_t
    done, uint64_t total, void *user); void *progress_user; } cnn_quantize_options;
CNN_API cnn_status cnn_classifier_quantize(const cnn_classifier *classifier, const cnn_dataset *dataset, const
    cnn_quantize_options *options, cnn_classifier **quantized);
CNN_API cnn_status cnn_train_head(cnn_model *model, const char *layer, const cnn_dataset *training, const cnn_dataset
    *validation, const cnn_train_options *options, cnn_history **history);
CNN_API uint32_t cnn_version_number(void);
CNN_API const char *cnn_version(void);
CNN_API uint32_t cnn_has_feature(const char *name);
CNN_API const char *cnn_feature_name(uint32_t index);
"""


def split(text: str) -> list[str]:
    """The declarations in C source without comments, each with single spaces."""
    text = re.sub(r"\s+", " ", text)
    return [part.strip() for part in re.findall(r"((?:[^;{}]|\{[^}]*\})+);", text) if part.strip()]
