declare module "jsfive" {
  export class File {
    constructor(data: ArrayBuffer, name: string);
    readonly attrs: Record<string, unknown>;
  }
}
