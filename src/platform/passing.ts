/**
 * A map for what is under way: its entries come and go with each call. V8's own Map keeps the tables that it grew out
 * of in a chain, and each of them what it held then, so that calls long answered outlive the collections of the young
 * heap. Here such a table holds no more than a key and an emptied slot.
 */
export class PassingMap<V> {
  readonly #slots = new Map<string, { value: V | undefined }>();

  get(key: string): V | undefined {
    return this.#slots.get(key)?.value;
  }

  set(key: string, value: V): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) this.#slots.set(key, { value });
    else slot.value = value;
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    slot.value = undefined;
    this.#slots.delete(key);
  }
}
