// The rows of each config, unpacked block by block when they are needed.

async function unpacked(id) {
  const holder = document.getElementById(id);
  const letters = atob(holder.textContent);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = JSON.parse(await new Response(stream).text());
  holder.remove();
  return data;
}

class Rows {
  constructor(sheet, head) {
    this.sheet = sheet;
    this.head = head;
    this.length = head.numbers.length;
    this.places = new Map(head.columns.map((column, place) => [column.name, place]));
    this.blocks = new Map();
  }

  has(name) {
    return this.places.has(name);
  }

  block(number) {
    if (!this.blocks.has(number)) this.blocks.set(number, unpacked(`rows-${this.sheet}-${number}`));
    return this.blocks.get(number);
  }

  async row(index) {
    const size = this.head.blockSize;
    const block = await this.block(Math.floor(index / size));
    const get = (name) => (this.places.has(name) ? block[this.places.get(name)][index % size] : null);
    return { index, number: this.head.numbers[index] + 1, get };
  }

  async all() {
    if (!this.every) {
      this.every = Promise.all(Array.from({ length: this.length }, (_, index) => this.row(index)));
    }
    return this.every;
  }
}
