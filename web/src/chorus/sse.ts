/** Server-Sent Events out of pieces of text, as they come over the network: a message may be cut anywhere. */

/** Gives the `data` of each message that `piece` completes. Comments and other fields are left out. */
export class EventParser {
  private rest = "";
  private data: string[] = [];

  push(piece: string): string[] {
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop() ?? "";
    const messages: string[] = [];
    for (const line of lines) {
      const content = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (content === "") this.finish(messages);
      else if (content.startsWith("data:")) this.data.push(content.slice(content[5] === " " ? 6 : 5));
    }
    return messages;
  }

  private finish(messages: string[]): void {
    if (this.data.length > 0) messages.push(this.data.join("\n"));
    this.data = [];
  }
}

/** The messages of a response's body. Throws when nothing came for `silenceMs`, not even a comment. */
export async function* readMessages(body: ReadableStream<Uint8Array>, silenceMs: number): AsyncGenerator<string> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    while (true) {
      const { done, value } = await withinTime(reader.read(), silenceMs);
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Whoever stops reading has no more use for the connection.
    await reader.cancel().catch(() => undefined);
  }
}

function withinTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the stream has fallen silent")), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
