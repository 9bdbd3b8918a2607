// Browsers refuse to start a worker from file://. There, a hidden frame runs its script instead, so that the search works
// on pages opened from a disk.
if (location.protocol === "file:") {
  window.Worker = class {
    onmessage = null;
    onerror = null;

    constructor(address) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.ready = new Promise((resolve) => {
        this.frame.addEventListener("load", () => {
          const inside = this.frame.contentWindow;
          inside.postMessage = (data) => setTimeout(() => this.onmessage?.({ data }));
          const script = inside.document.createElement("script");
          script.src = new URL(address, document.baseURI).href;
          script.onload = () => resolve(inside);
          script.onerror = (error) => this.onerror?.(error);
          inside.document.body.append(script);
        }, { once: true });
      });
      document.documentElement.append(this.frame);
    }

    postMessage(data) {
      this.ready.then((inside) => inside.onmessage?.({ data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
