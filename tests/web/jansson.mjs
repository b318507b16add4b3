// SPDX-License-Identifier: Apache-2.0
// The imports of wasm/jansson.h over JavaScript values.

// An integer that a double may not hold.
class Int {
  constructor(digits) {
    this.value = BigInt.asIntN(64, BigInt(digits));
  }

  toJSON() {
    return Number(this.value);
  }
}

// JSON in which large integers keep their digits.
export function parse(text) {
  const safe = text.replace(
    /([:[,]\s*)(\d{16,})(?=\s*[,}\]])/g, '$1{"#int":"$2"}');
  return JSON.parse(safe, (key, v) =>
    v !== null && typeof v === "object" && typeof v["#int"] === "string"
      ? new Int(v["#int"]) : v);
}

// memory() is the module's memory now, alloc(n) an address in it.
export function jansson(memory, alloc) {
  const values = [undefined];
  const strings = new Map();
  const give = (v) => (v === undefined ? 0 : values.push(v) - 1);
  const text = (p, len) => new TextDecoder().decode(memory().slice(p, p + len));
  const cString = (p) => text(p, memory().indexOf(0, p) - p);
  const isObject = (v) => v !== null && typeof v === "object" &&
    !Array.isArray(v) && !(v instanceof Int);
  const isInteger = (v) => v instanceof Int || Number.isInteger(v);
  const put = (string) => {
    const bytes = new TextEncoder().encode(`${string}\0`);
    const p = alloc(bytes.length);
    memory().set(bytes, p);
    return p;
  };
  const imports = {
    object_get: (j, key) =>
      isObject(values[j]) ? give(values[j][cString(key)]) : 0,
    array_get: (j, i) => (Array.isArray(values[j]) ? give(values[j][i]) : 0),
    array_size: (j) => (Array.isArray(values[j]) ? values[j].length : 0),
    integer_value: (j) => values[j] instanceof Int ? values[j].value
      : BigInt(Number.isInteger(values[j]) ? values[j] : 0),
    is_array: (j) => Number(Array.isArray(values[j])),
    is_object: (j) => Number(isObject(values[j])),
    is_integer: (j) => Number(isInteger(values[j])),
    is_string: (j) => Number(typeof values[j] === "string"),
    is_null: (j) => Number(values[j] === null),
    is_true: (j) => Number(values[j] === true),
    is_boolean: (j) => Number(typeof values[j] === "boolean"),
    string_length: (j) => typeof values[j] === "string"
      ? new TextEncoder().encode(values[j]).length : 0,
    string_value: (j) => {
      if (typeof values[j] !== "string") {
        return 0;
      }
      if (!strings.has(j)) {
        strings.set(j, put(values[j]));
      }
      return strings.get(j);
    },
    object: () => give({}),
    array: () => give([]),
    stringn: (p, len) => give(text(p, len)),
    integer: (n) => give(new Int(n)),
    boolean: (b) => give(b !== 0),
    object_set: (j, key, v) => {
      values[j][cString(key)] = values[v];
      return 0;
    },
    object_clear: (j) => {
      for (const key of Object.keys(values[j])) {
        delete values[j][key];
      }
      return 0;
    },
    array_append: (j, v) => values[j].push(values[v]) && 0,
    loadb: (p, len) => {
      try {
        return give(parse(text(p, len)));
      } catch {
        return 0;
      }
    },
    dumps: (j) => put(JSON.stringify(values[j])),
  };
  return { give, put, imports };
}
