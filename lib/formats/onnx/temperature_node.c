/* The temperature of a classifier, by which its logits are divided. The library keeps it in the metadata; in an ONNX
 * file it is a last node, so that programs which run the file get the same probabilities as here without knowing of it.
 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "formats/json.h"
#include "formats/onnx/export.h"
#include "formats/onnx/import.h"

/* The temperature that the metadata say, or 1 where they say none. */
static cnn_status parse(const char *text, float *temperature)
{
    *temperature = 1;
    json_t *value;
    cnn_status status = text ? cnn_json_parse(CNN_ONNX_TEMPERATURE, text, strlen(text), &value) : CNN_ERROR_FORMAT;
    if (status)
        return status == CNN_ERROR_OUT_OF_MEMORY ? status : CNN_OK;
    float number;
    if (cnn_json_float(value, &number) && isnormal(number) && number > 0)
        *temperature = number;
    json_decref(value);
    return CNN_OK;
}

bool cnn_onnx_export_divides(cnn_onnx_export *file, const char *value, const char *output)
{
    float *temperature = cnn_onnx_export_memory(file, 1, sizeof *temperature);
    if (!file->status)
        file->status = parse(cnn_model_metadata(file->model, CNN_ONNX_TEMPERATURE), temperature);
    if (file->status || *temperature == 1)
        return false;
    cnn_onnx_export_floats(file, CNN_ONNX_TEMPERATURE, 0, NULL, temperature);
    return cnn_onnx_export_node(file, "Div", (const char *const[]){ value, CNN_ONNX_TEMPERATURE, NULL }, output);
}

bool cnn_onnx_is_temperature(const cnn_onnx_import *import)
{
    const CnnOnnx__Graph *graph = import->file->graph;
    const CnnOnnx__Node *node = import->node;
    return cnn_onnx_is_own(import) && node == graph->node[graph->n_node - 1] && node->op_type &&
           !strcmp(node->op_type, "Div") && node->n_input == 2 && !strcmp(node->input[1], CNN_ONNX_TEMPERATURE);
}

cnn_status cnn_onnx_read_temperature(cnn_onnx_import *import)
{
    cnn_onnx_activation x;
    const cnn_onnx_tensor *tensor;
    cnn_status status = cnn_onnx_need_floats(import, 1, "temperature", &tensor);
    if (!status && (tensor->count != 1 || !isnormal(tensor->floats[0]) || tensor->floats[0] < 0))
        status = cnn_onnx_fail(import, CNN_ERROR_FORMAT, "its temperature is no number above 0");
    if (!status)
        status = cnn_onnx_raw_activation(import, 0, &x);
    if (status)
        return status;
    import->temperature = tensor->floats[0];
    return cnn_onnx_define(import, &x);
}

cnn_status cnn_onnx_set_temperature(const cnn_onnx_import *import, cnn_model *model)
{
    if (import->temperature == 0)
        return CNN_OK;
    json_t *number = cnn_json_number(import->temperature);
    char *text;
    cnn_status status = cnn_json_print(import->context, number, CNN_JSON_FLOATS, &text, NULL);
    json_decref(number);
    if (status)
        return status;
    status = cnn_model_set_metadata(model, CNN_ONNX_TEMPERATURE, text);
    cnn_release(import->context, text);
    return status;
}
