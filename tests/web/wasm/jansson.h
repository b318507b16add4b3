/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few calls of jansson that the vector runner makes, over values that the
 * host parsed: a json_t pointer is a number that the host gave out.  Only for
 * the wasm build of the runner.
 */
#ifndef TESTS_WEB_WASM_JANSSON_H
#define TESTS_WEB_WASM_JANSSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct json_value json_t;

#define JSON_IMPORT(NAME) \
    __attribute__((import_module("json"), import_name(#NAME)))

JSON_IMPORT(object_get)
json_t *json_object_get(const json_t *j, const char *key);
JSON_IMPORT(array_get) json_t *json_array_get(const json_t *j, size_t i);
JSON_IMPORT(array_size) size_t json_array_size(const json_t *j);
JSON_IMPORT(integer_value) long long json_integer_value(const json_t *j);
JSON_IMPORT(is_array) bool json_is_array(const json_t *j);
JSON_IMPORT(is_object) bool json_is_object(const json_t *j);
JSON_IMPORT(is_integer) bool json_is_integer(const json_t *j);
JSON_IMPORT(is_string) bool json_is_string(const json_t *j);
JSON_IMPORT(is_null) bool json_is_null(const json_t *j);
JSON_IMPORT(is_true) bool json_is_true(const json_t *j);
JSON_IMPORT(string_length) size_t json_string_length(const json_t *j);
/* Copied into memory of the module that is never given back. */
JSON_IMPORT(string_value) const char *json_string_value(const json_t *j);

#endif
