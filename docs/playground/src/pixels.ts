/** A picture as pixels, and a page with such a picture: where Python cannot convert it, the browser does. */

import { say } from "./words";

/** Pixels to each unit of the picture, as `archcalc draw` has them, and the most that a canvas is sure to hold. */
const SCALE = 2;
const MOST_SIDE = 16_000;
const MOST_PIXELS = 64_000_000;

/** The scale at which a picture of this size is drawn. */
export function scaleOf(width: number, height: number): number {
  return Math.min(SCALE, MOST_SIDE / width, MOST_SIDE / height, Math.sqrt(MOST_PIXELS / (width * height)));
}

async function canvasOf(svg: string): Promise<HTMLCanvasElement> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const scale = scaleOf(image.naturalWidth, image.naturalHeight);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    const context = canvas.getContext("2d");
    if (!context) throw new Error(say("This browser gives no canvas to draw on."));
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return canvas;
  } finally {
    URL.revokeObjectURL(address);
  }
}

type Bytes = Uint8Array<ArrayBuffer>;

async function bytesOf(blob: Blob): Promise<Bytes> {
  return new Uint8Array(await blob.arrayBuffer());
}

export async function png(svg: string): Promise<Bytes> {
  const canvas = await canvasOf(svg);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error(say("The picture is too large for this browser; save it as SVG."));
  return bytesOf(blob);
}

export async function pdf(svg: string): Promise<Bytes> {
  const canvas = await canvasOf(svg);
  const { width, height } = canvas;
  const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(0, 0, width, height);
  return page(await deflated(withoutAlpha(data)), width, height);
}

export function withoutAlpha(data: Uint8ClampedArray): Bytes {
  const found = new Uint8Array((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) found.set(data.subarray(from, from + 3), to);
  return found;
}

async function deflated(data: Bytes): Promise<Bytes> {
  const packed = new Blob([data]).stream().pipeThrough(new CompressionStream("deflate"));
  return bytesOf(await new Response(packed).blob());
}

/** A PDF of one page with one picture: its RGB values as a zlib stream, two pixels to each point. */
export function page(image: Bytes, width: number, height: number): Bytes {
  const [wide, high] = [width / SCALE, height / SCALE];
  const drawn = `${wide} 0 0 ${high} 0 0 cm /I Do`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${wide} ${high}] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>`,
    `<< /Length ${drawn.length} >>\nstream\n${drawn}\nendstream`,
    `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8 ` +
      `/Filter /FlateDecode /Length ${image.length} >>\nstream\n`,
  ];
  const parts: (string | Bytes)[] = ["%PDF-1.4\n"];
  const places: number[] = [];
  let size = 9;
  const add = (part: string | Bytes) => {
    parts.push(part);
    size += part.length;
  };
  for (const [place, object] of objects.entries()) {
    places.push(size);
    add(`${place + 1} 0 obj\n${object}`);
    if (place === objects.length - 1) {
      add(image);
      add("\nendstream");
    }
    add("\nendobj\n");
  }
  const start = size;
  const rows = places.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
  add(`xref\n0 6\n0000000000 65535 f \n${rows}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(typeof part === "string" ? new TextEncoder().encode(part) : part, at);
    at += part.length;
  }
  return whole;
}
