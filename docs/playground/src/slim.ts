/** Model files without their weights: a network of gigabytes is small, and is read where nothing reads HDF5. */

/** The largest file that is held in memory for that. */
export const MOST_HELD = 1024 * 1024 * 1024;

export interface Slim {
  filename: string;
  data: Uint8Array;
}

/** A model file of at most so many bytes; null where its format or what it holds gives none. */
export async function slim(file: File, most: number): Promise<Slim | null> {
  if (file.size > MOST_HELD) return null;
  const [, stem = "model", ending = ""] = /^(.*)\.(\w+)$/.exec(file.name) ?? [];
  const kind = ending.toLowerCase();
  try {
    if (kind === "onnx") return await slimOnnx(file, most);
    let text: string | null = null;
    if (kind === "keras") text = await zipped(file, "config.json");
    if (kind === "h5" || kind === "hdf5") {
      text = (await import("./hdf5.js")).architecture(await file.arrayBuffer());
    }
    const data = text && new TextEncoder().encode(text);
    return data && data.length <= most ? { filename: `${stem}.json`, data } : null;
  } catch {
    // It is damaged, or not what its name says.
    return null;
  }
}

// --- ONNX: messages of protobuf

interface Message {
  /** Messages inside, by the numbers of their fields in onnx.proto. */
  parts: Record<number, Message>;
  /** Fields that hold the values of an array. */
  arrays?: number[];
}

const TENSOR: Message = { parts: {}, arrays: [4, 9, 10] };
const NODE: Message = { parts: { 5: { parts: { 5: TENSOR } } } };
const MODEL: Message = { parts: { 7: { parts: { 1: NODE, 5: TENSOR } } } };
/** `data_location` of a tensor is EXTERNAL: its values are in another file, and are not needed. */
const ELSEWHERE = [0x70, 0x01];

async function slimOnnx(file: File, most: number): Promise<Slim | null> {
  const data = new Uint8Array(await file.arrayBuffer());
  // Small arrays say something of the network: sizes, masks.
  for (const kept of [1 << 20, 1 << 16, 1 << 12]) {
    const pieces = without(data, 0, data.length, MODEL, kept);
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    if (size <= most) return { filename: file.name, data: joined(pieces, size) };
  }
  return null;
}

/** A message without the values of arrays of more than `kept` bytes, in pieces. */
export function without(data: Uint8Array, start: number, end: number, message: Message, kept: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let copied = start;
  for (let at = start; at < end; ) {
    const begin = at;
    let key: number;
    [key, at] = varint(data, at, end);
    const [field, wire] = [key >>> 3, key & 7];
    if (wire === 0) [, at] = varint(data, at, end);
    else if (wire === 1 || wire === 5) at += wire === 1 ? 8 : 4;
    else if (wire !== 2) throw new Error("no protobuf");
    else {
      const sized = at;
      let length: number;
      [length, at] = varint(data, at, end);
      const after = at + length;
      const part = message.parts[field];
      if (message.arrays?.includes(field) && length > kept) {
        pieces.push(data.subarray(copied, begin), Uint8Array.from(ELSEWHERE));
        copied = after;
      } else if (part && length > kept && after <= end) {
        const inner = without(data, at, after, part, kept);
        const size = inner.reduce((sum, { length }) => sum + length, 0);
        // One after the other: a call takes only so many values.
        pieces.push(data.subarray(copied, sized), written(size));
        for (const piece of inner) pieces.push(piece);
        copied = after;
      }
      at = after;
    }
    if (at > end) throw new Error("cut off");
  }
  pieces.push(data.subarray(copied, end));
  return pieces;
}

/** A number of 7 bits a byte, the lowest first, and the place after it. */
function varint(data: Uint8Array, start: number, end: number): [number, number] {
  let value = 0;
  for (let at = start, scale = 1; at < end && at < start + 10; at++, scale *= 128) {
    const byte = data[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new Error("no number");
}

function written(value: number): Uint8Array {
  const found: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 128)) found.push((left % 128) | 0x80);
  return Uint8Array.from([...found, left]);
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

// --- archives

/** The largest text of an archive, and the largest list of its files. */
const MOST_TEXT = 16 * 1024 * 1024;
const MOST_LIST = 1024 * 1024;

/** A text of a zip file; null where there is no such text in it. */
export async function zipped(file: Blob, name: string): Promise<string | null> {
  const tail = await view(file, file.size - 65_557, file.size);
  let at = tail.byteLength - 22;
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--;
  if (at < 0) return null;
  const [length, start] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (length > MOST_LIST) return null;
  const list = await view(file, start, start + length);
  for (let entry = 0; entry + 46 <= list.byteLength && list.getUint32(entry, true) === 0x02014b50; ) {
    const names = list.getUint16(entry + 28, true);
    const found = new TextDecoder().decode(new Uint8Array(list.buffer, entry + 46, names));
    if (found === name) {
      const [method, packed] = [list.getUint16(entry + 10, true), list.getUint32(entry + 20, true)];
      const place = list.getUint32(entry + 42, true);
      const head = await view(file, place, place + 30);
      const from = place + 30 + head.getUint16(26, true) + head.getUint16(28, true);
      const bytes = file.slice(from, from + packed);
      const text = method ? bytes.stream().pipeThrough(new DecompressionStream("deflate-raw")) : bytes.stream();
      return bounded(text);
    }
    entry += 46 + names + list.getUint16(entry + 30, true) + list.getUint16(entry + 32, true);
  }
  return null;
}

async function view(file: Blob, start: number, end: number): Promise<DataView> {
  return new DataView(await file.slice(Math.max(0, start), end).arrayBuffer());
}

async function bounded(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new TextDecoder().decode(joined(pieces, size));
    size += value.length;
    if (size > MOST_TEXT) {
      await reader.cancel();
      return null;
    }
    pieces.push(value);
  }
}
