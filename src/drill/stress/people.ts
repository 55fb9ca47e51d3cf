/** What is needed of faker; `fakerPeople` has the real one. */
export interface People {
  firstName(): string;
  lastName(): string;
  number(): number;
}

/** Rows of one piece of text: about 64 kB, what a socket takes at once. */
const ROWS_PER_PIECE = 2_000;

/** Made-up people, the same ones in the same order for the same seed (as long as faker keeps its lists). */
export async function fakerPeople(seed: number): Promise<People> {
  // Loaded here: it has megabytes of words that no other command needs. One language only: all of them take a second.
  const { faker } = await import('@faker-js/faker/locale/de');
  faker.seed(seed);
  return {
    firstName: () => faker.person.firstName(),
    lastName: () => faker.person.lastName(),
    number: () => faker.number.int(999_999),
  };
}

/** Rows `id, name, num_col` in COPY's text format, with ids from 1 to `count`, in pieces of many rows. */
export function* peopleRows(count: number, people: People): Generator<{ text: string; rows: number }> {
  for (let id = 1; id <= count; ) {
    const first = id;
    const end = Math.min(count, id + ROWS_PER_PIECE - 1);
    let text = '';
    for (; id <= end; id++) {
      text += `${id}\t${people.firstName()} ${people.lastName()}\t${people.number()}\n`;
    }
    yield { text, rows: id - first };
  }
}
