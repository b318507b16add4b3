/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of jansson that the vector runner and mls-peer make, over values of
 * the host: a json_t pointer is a number that the host gave out (jansson.mjs).
 * Values are never given back.  Only for the wasm builds of these two.
 */
#ifndef TESTS_WEB_WASM_JANSSON_H
#define TESTS_WEB_WASM_JANSSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct json_value json_t;
typedef long long json_int_t;
typedef struct {
    int unused;
} json_error_t;

#define JSON_COMPACT 0

#define JSON_IMPORT(NAME) \
    __attribute__((import_module("json"), import_name(#NAME)))

JSON_IMPORT(object_get)
json_t *json_object_get(const json_t *j, const char *key);
JSON_IMPORT(array_get) json_t *json_array_get(const json_t *j, size_t i);
JSON_IMPORT(array_size) size_t json_array_size(const json_t *j);
JSON_IMPORT(integer_value) json_int_t json_integer_value(const json_t *j);
JSON_IMPORT(is_array) bool json_is_array(const json_t *j);
JSON_IMPORT(is_object) bool json_is_object(const json_t *j);
JSON_IMPORT(is_integer) bool json_is_integer(const json_t *j);
JSON_IMPORT(is_string) bool json_is_string(const json_t *j);
JSON_IMPORT(is_null) bool json_is_null(const json_t *j);
JSON_IMPORT(is_true) bool json_is_true(const json_t *j);
JSON_IMPORT(is_boolean) bool json_is_boolean(const json_t *j);
JSON_IMPORT(string_length) size_t json_string_length(const json_t *j);
/* Copied into memory of the module that is never given back. */
JSON_IMPORT(string_value) const char *json_string_value(const json_t *j);

JSON_IMPORT(object) json_t *json_object(void);
JSON_IMPORT(array) json_t *json_array(void);
JSON_IMPORT(stringn) json_t *json_stringn(const char *text, size_t len);
JSON_IMPORT(integer) json_t *json_integer(json_int_t n);
JSON_IMPORT(boolean) json_t *json_boolean(int b);
JSON_IMPORT(object_set)
int json_object_set(json_t *j, const char *key, json_t *value);
JSON_IMPORT(object_clear) int json_object_clear(json_t *j);
JSON_IMPORT(array_append) int json_array_append_new(json_t *j, json_t *value);
/* NULL when it is not JSON. */
JSON_IMPORT(loadb) json_t *json_load_text(const char *text, size_t len);
/* From malloc. */
JSON_IMPORT(dumps) char *json_dump_text(const json_t *j);

#define json_boolean_value(j) json_is_true(j)
#define json_object_set_new json_object_set
#define json_string(text) json_stringn((text), __builtin_strlen(text))
#define json_true() json_boolean(1)
#define json_decref(j) ((void)(j))
#define json_loads(text, flags, error) \
    ((void)(error), json_load_text((text), __builtin_strlen(text)))
#define json_loadb(text, len, flags, error) \
    ((void)(error), json_load_text((text), (len)))
#define json_dumps(j, flags) json_dump_text(j)

#endif
