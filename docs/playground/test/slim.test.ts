import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { slim, zipped } from "../src/slim";

const bytes = (...parts: (number | string | Uint8Array)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part as string))));
const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) | 128, ...varint(value >> 7)]);
/** A field of protobuf that holds bytes. */
const field = (number: number, inside: Uint8Array | string) =>
  bytes(Uint8Array.from(varint(number * 8 + 2)), Uint8Array.from(varint(inside.length)), inside);
const number = (place: number, value: number) => Uint8Array.from([...varint(place * 8), ...varint(value)]);

/** ModelProto with an initialiser and a constant of so many bytes. */
const onnx = (size: number, tail = Buffer.alloc(0)) => {
  const tensor = (name: string) =>
    bytes(number(1, size), number(2, 1), field(8, name), field(9, Buffer.alloc(size)), tail);
  const node = bytes(field(2, "c"), field(4, "Constant"), field(5, bytes(field(1, "value"), field(5, tensor("c")))));
  return bytes(number(1, 10), field(7, bytes(field(1, node), field(2, "net"), field(5, tensor("w")))), field(2, "me"));
};
/** What is left of it: `data_location: EXTERNAL` in the place of the values. */
const external = (size: number) => {
  const tensor = (name: string) => bytes(number(1, size), number(2, 1), field(8, name), number(14, 1));
  const node = bytes(field(2, "c"), field(4, "Constant"), field(5, bytes(field(1, "value"), field(5, tensor("c")))));
  return bytes(number(1, 10), field(7, bytes(field(1, node), field(2, "net"), field(5, tensor("w")))), field(2, "me"));
};

test("an ONNX file goes on without the values of its large arrays", async () => {
  const found = await slim(new File([onnx(3 << 20)], "net.onnx"), 1 << 20);
  assert.equal(found?.filename, "net.onnx");
  assert.deepEqual(Buffer.from(found?.data ?? []), external(3 << 20));
});

test("arrays that say something of the network are kept as long as the limit allows", async () => {
  const file = new File([onnx(100_000)], "net.onnx");
  assert.deepEqual(Buffer.from((await slim(file, 1 << 20))?.data ?? []), onnx(100_000));
  assert.deepEqual(Buffer.from((await slim(file, 1 << 16))?.data ?? []), external(100_000));
  assert.equal(await slim(new File([onnx(3000)], "net.onnx"), 100), null);
});

test("what is cut off, or no ONNX file, gives none", async () => {
  const whole = onnx(100_000);
  for (const data of [whole.subarray(0, 5000), Buffer.alloc(100, 255), bytes(0x0b), field(7, Buffer.alloc(90_000, 7))])
    assert.equal(await slim(new File([data], "net.onnx"), 1 << 16), null);
});

/** A zip file with one text. */
const zip = (name: string, text: string, method: 0 | 8) => {
  const packed = method ? deflateRawSync(text) : Buffer.from(text);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(packed.length, 0);
  sizes.writeUInt32LE(text.length, 4);
  const short = (value: number) => Uint8Array.from([value & 255, value >> 8]);
  const long = (value: number) => bytes(short(value & 65535), short(value >>> 16));
  const shared = bytes(short(20), short(0), short(method), long(0), long(0), sizes, short(name.length), short(0));
  const head = bytes("PK\u0003\u0004", shared, name, packed);
  const list = bytes("PK\u0001\u0002", short(20), shared, short(0), short(0), short(0), long(0), long(0), name);
  const end = bytes("PK\u0005\u0006", long(0), short(1), short(1), long(list.length), long(head.length), short(0));
  return new File([head, list, end], "net.keras");
};

test("of a model of Keras its architecture is enough", async () => {
  const text = '{"class_name": "Sequential"}'.padEnd(5000);
  for (const method of [0, 8] as const) {
    const file = zip("config.json", text, method);
    assert.equal(await zipped(file, "config.json"), text);
    assert.equal(await zipped(file, "config.jso"), null);
    const found = await slim(file, 10_000);
    assert.deepEqual([found?.filename, new TextDecoder().decode(found?.data)], ["net.json", text]);
  }
  assert.equal(await slim(zip("model.weights.h5", text, 8), 10_000), null);
  assert.equal(await slim(new File(["PK"], "net.keras"), 10_000), null);
  assert.equal(await slim(zip("config.json", " ".repeat(20 << 20), 8), 1 << 30), null);
});

test("what is no HDF5 file gives none, nor does another format", async () => {
  assert.equal(await slim(new File(["\u0089HDF\r\n\u001a\n"], "net.h5"), 10_000), null);
  assert.equal(await slim(new File(["x"], "net.pt2"), 10_000), null);
  assert.equal(await slim(new File(["x"], "net"), 10_000), null);
});
