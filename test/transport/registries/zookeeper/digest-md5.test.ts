import { createHash } from 'node:crypto';
import test from 'ava';
import { answerDigestMd5 } from '../../../../src/transport/registries/zookeeper/client/digest-md5.ts';

const challenge = 'realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",charset=utf-8,algorithm=md5-sess';

/** RFC 2831 §2.1.2.1, written down once more. */
function expected(user: string, password: string, cnonce: string, a2: string): string {
  const h = (text: string | Buffer): Buffer => createHash('md5').update(text).digest();
  const a1 = Buffer.concat([h(`${user}:zk-sasl-md5:${password}`), Buffer.from(`:OA6MG9tEQGm2hh:${cnonce}`)]);
  return h(
    `${h(a1).toString('hex')}:OA6MG9tEQGm2hh:00000001:${cnonce}:auth:${h(a2).toString('hex')}`,
  ).toString('hex');
}

test('a challenge is answered, and the proof that the server owes is known', (t) => {
  const { response, proof } = answerDigestMd5(challenge, 'mesh', 'secret', 'c0ffee');
  t.true(response.includes('username="mesh",realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",nc=00000001'));
  t.true(response.includes('digest-uri="zookeeper/zk-sasl-md5"'));
  const uri = 'zookeeper/zk-sasl-md5';
  t.true(response.includes(`response=${expected('mesh', 'secret', 'c0ffee', `AUTHENTICATE:${uri}`)},`));
  t.is(proof, `rspauth=${expected('mesh', 'secret', 'c0ffee', `:${uri}`)}`);
  t.false(response.includes('secret'));
});

test('names with quotes are quoted; what cannot be answered says why', (t) => {
  t.true(answerDigestMd5(challenge, 'a"b', 'x', 'c').response.includes('username="a\\"b"'));
  t.throws(() => answerDigestMd5('realm="x"', 'a', 'b', 'c'), { message: /no nonce/ });
  t.throws(() => answerDigestMd5(`${challenge},qop="auth-conf"`, 'a', 'b', 'c'), { message: /auth-conf/ });
  t.throws(() => answerDigestMd5('x'.repeat(5000), 'a', 'b', 'c'), { message: /too long/ });
});
