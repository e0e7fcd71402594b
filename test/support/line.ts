/** A line between two hosts: a TCP proxy on loopback that can fail and recover while both ends keep running. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(readonly target: URL) {
    this.#server = createServer((near) => this.#join(near));
  }

  /** @param endpoint of the server at the far end */
  static async to(endpoint: string): Promise<Line> {
    const line = new Line(new URL(endpoint));
    await line.mend();
    return line;
  }

  get endpoint(): string {
    return `http://${this.target.hostname}:${this.#port}`;
  }

  /** Ends all connections and refuses new ones. */
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Listens again at the same address. */
  mend(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ port: this.#port, host: '127.0.0.1' }, () => {
        this.#server.removeListener('error', reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #join(near: Socket): void {
    const far = connect({ port: Number(this.target.port), host: this.target.hostname });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      // A cut is intended, so it also reaches the other end.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
