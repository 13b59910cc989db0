import { randomBytes } from 'node:crypto';
import { messageOf } from '../../../../core/base/errors.ts';
import type { ZooKeeperConnection } from '../wire/connection.ts';
import { Op, Xid } from '../wire/protocol.ts';
import { answerDigestMd5 } from './digest-md5.ts';

/** Who this client says it is. Shown again on each connection: servers forget it with the connection. */
export interface Credentials {
  /** digest: scheme "digest" of ACLs; saslDigest: the SASL mechanism DIGEST-MD5. */
  readonly kind: 'digest' | 'saslDigest';
  readonly user: string;
  readonly password: string;
}

/** @param done gets "" or why it did not work */
export function authenticate(
  connection: ZooKeeperConnection,
  credentials: Credentials,
  done: (problem: string) => void,
): void {
  if (credentials.kind === 'digest') addDigest(connection, credentials, done);
  else saslDigest(connection, credentials, done);
}

function addDigest(
  connection: ZooKeeperConnection,
  { user, password }: Credentials,
  done: (problem: string) => void,
): void {
  connection.request(
    Op.auth,
    'auth',
    (writer) =>
      writer
        .int(0)
        .string('digest')
        .buffer(Buffer.from(`${user}:${password}`, 'utf8')),
    (error) => done(error === null ? '' : error.message),
    Xid.auth,
  );
}

/** An empty token asks for the challenge; the answer to the response is the server's own proof. */
function saslDigest(
  connection: ZooKeeperConnection,
  { user, password }: Credentials,
  done: (problem: string) => void,
): void {
  const exchange = (token: Buffer, next: (answer: string) => void): void =>
    connection.request(
      Op.sasl,
      'sasl',
      (writer) => writer.buffer(token),
      (error, reader) =>
        error === null ? next(reader.buffer()?.toString('utf8') ?? '') : done(error.message),
    );
  exchange(Buffer.alloc(0), (challenge) => {
    const answer = tryAnswer(challenge, user, password);
    if (typeof answer === 'string') return done(answer);
    exchange(Buffer.from(answer.response, 'utf8'), (proof) =>
      done(proof.trim() === answer.proof ? '' : 'the server does not prove that it knows the password'),
    );
  });
}

function tryAnswer(
  challenge: string,
  user: string,
  password: string,
): ReturnType<typeof answerDigestMd5> | string {
  try {
    return answerDigestMd5(challenge, user, password, randomBytes(24).toString('base64url'));
  } catch (thrown) {
    return messageOf(thrown);
  }
}
