/** Many files as one: a tar file (ustar), compressed by gzip. */

const BLOCK = 512;

export interface Entry {
  path: string;
  data: Uint8Array;
}

/** The files of an archive as it comes. `came` is told how many bytes there are so far. */
export async function unpacked(body: ReadableStream<Uint8Array>, came: (bytes: number) => void): Promise<Entry[]> {
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(part, controller) {
      bytes += part.length;
      came(bytes);
      controller.enqueue(part);
    },
  });
  const plain = body.pipeThrough(counted).pipeThrough(new DecompressionStream("gzip") as unknown as typeof counted);
  return entries(new Uint8Array(await new Response(plain).arrayBuffer()));
}

/** The files of a tar file; their bytes are parts of its own. */
export function entries(tar: Uint8Array): Entry[] {
  const words = new TextDecoder();
  const text = (from: number, length: number) => {
    const field = tar.subarray(from, from + length);
    const end = field.indexOf(0);
    return words.decode(end < 0 ? field : field.subarray(0, end));
  };
  const found: Entry[] = [];
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const [prefix, name] = [text(at + 345, 155), text(at, 100)];
    const size = Number.parseInt(text(at + 124, 12), 8);
    const start = at + BLOCK;
    if (!(size >= 0) || start + size > tar.length) throw new Error("the packages are not complete");
    found.push({ path: prefix ? `${prefix}/${name}` : name, data: tar.subarray(start, start + size) });
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return found;
}
