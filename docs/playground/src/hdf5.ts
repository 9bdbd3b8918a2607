/** HDF5 files of Keras: a file of its own, which is loaded with the first of them. */

import { File } from "jsfive";

/** The architecture in a file of Keras; null where it holds weights alone. Throws an Error for what is no HDF5. */
export function architecture(data: ArrayBuffer): string | null {
  const found: unknown = new File(data, "model.h5").attrs.model_config;
  return typeof found === "string" ? found : null;
}
