import type pg from 'pg';

/** Connects, or rejects and leaves nothing open. A session that is cut later does not end this process. */
export async function connected(client: pg.Client): Promise<pg.Client> {
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    void client.end().catch(() => {});
    throw error;
  }
}
