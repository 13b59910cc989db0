import test from 'ava';
import fc from 'fast-check';
import {
  formatCuratorInstance,
  instanceKeys,
  instanceOf,
  parseCuratorInstance,
  portFor,
} from '../../../../src/core/discovery/dubbo/instance.ts';
import { decodeJava, encodeJava } from '../../../../src/core/discovery/dubbo/java-encoding.ts';
import {
  formatMetadataInfo,
  matchKeyOf,
  parseMetadataInfo,
  revisionOf,
} from '../../../../src/core/discovery/dubbo/metadata-info.ts';
import { endpointOfUrl } from '../../../../src/core/discovery/dubbo/provider-endpoint.ts';
import {
  formatProviderUrl,
  type ProviderUrl,
  parseProviderUrl,
} from '../../../../src/core/discovery/dubbo/provider-url.ts';
import { parseServiceName } from '../../../../src/core/discovery/dubbo/service-name.ts';
import { endpointOfSofaUrl, formatSofaUrl } from '../../../../src/core/discovery/sofa/provider-url.ts';

const read = (text: string): ProviderUrl => parseProviderUrl(text) as ProviderUrl;

test('texts are escaped as java.net.URLEncoder does and come back', (t) => {
  t.is(encodeJava("a b*-._!'()~/?&="), 'a+b*-._%21%27%28%29%7E%2F%3F%26%3D');
  t.is(encodeJava('dubbo://10.0.0.1:20880/a.B?x=1'), 'dubbo%3A%2F%2F10.0.0.1%3A20880%2Fa.B%3Fx%3D1');
  t.is(decodeJava('%zz'), null);
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => decodeJava(encodeJava(text)) === text));
});

test('a provider URL is read as Java writes it', (t) => {
  const url = read(
    'dubbo://admin:pw@10.0.0.1:20880/com.acme.Greeter?anyhost=true&application=greeter&empty=&group=g&version=1.0.0&x=a=b',
  );
  t.is(url.protocol, 'dubbo');
  t.is(url.username, 'admin');
  t.is(url.password, 'pw');
  t.is(url.host, '10.0.0.1');
  t.is(url.port, 20880);
  t.is(url.path, 'com.acme.Greeter');
  t.is(url.parameters.get('x'), 'a=b');
  t.is(read('tri://[fe80::1]:50051/a.B').host, 'fe80::1');
  t.is(read('consumer://10.0.0.1/a.B?category=consumers').port, 0);
});

test('a provider URL is written with its parameters sorted and empty ones left out', (t) => {
  const text = 'tri://[::1]:50051/a.B?a=1&b=2';
  const url = read('tri://[::1]:50051/a.B?b= 2 &c=&a=1');
  t.is(formatProviderUrl(url), text);
  t.deepEqual(read(text), {
    ...url,
    parameters: new Map([
      ['a', '1'],
      ['b', '2'],
    ]),
  });
});

test('what is no provider URL is refused, whatever it is', (t) => {
  for (const text of [
    '',
    'dubbo',
    '://x',
    'dubbo://',
    'dubbo://:1',
    'dubbo://h:99999',
    'dubbo://h:x',
    '1x://h',
  ]) {
    t.is(parseProviderUrl(text), null, text);
  }
  t.is(parseProviderUrl(`dubbo://h:1/a?${'x'.repeat(70_000)}`), null);
  t.is(parseProviderUrl(`dubbo://h:1/a?${'x&'.repeat(600)}`), null);
  fc.assert(fc.property(fc.string(), (text) => parseProviderUrl(text) !== undefined));
});

test('a service is named with group, version and protocol', (t) => {
  const plain = { group: '', interfaceName: 'a.B', version: '', protocol: '', isApplication: false };
  t.deepEqual(parseServiceName('a.B'), plain);
  t.deepEqual(parseServiceName('g/a.B:1.0.0?protocol=tri'), {
    ...plain,
    group: 'g',
    version: '1.0.0',
    protocol: 'tri',
  });
  t.deepEqual(parseServiceName('application:shop'), { ...plain, interfaceName: 'shop', isApplication: true });
  for (const text of ['', 'g/', ':1.0', 'a b', 'a.B?x=1', 'application:', 'application:a/b', 'g/a/b']) {
    t.throws(() => parseServiceName(text), { code: 'ERR_OPTION_INVALID' }, text);
  }
});

test('a provider that was asked for becomes an endpoint without the facts of one process', (t) => {
  const url = read(
    'dubbo://10.0.0.1:20880/a.B?application=greeter&interface=a.B&version=1.0.0&pid=7&timestamp=9&bind.ip=1.2.3.4&qos.port=1&weight=250&zone=east',
  );
  t.deepEqual(endpointOfUrl(url, parseServiceName('a.B:1.0.0')), {
    address: '10.0.0.1:20880',
    weight: 250,
    zone: 'east',
    priority: 0,
    hostname: '',
    metadata: { application: 'greeter', interface: 'a.B', version: '1.0.0', protocol: 'dubbo' },
  });
});

test('providers of another group, version, protocol, interface or category are left out', (t) => {
  const ask = (text: string, service: string): boolean =>
    endpointOfUrl(read(text), parseServiceName(service)) !== null;
  const url = 'dubbo://10.0.0.1:20880/a.B?group=g&version=2.0.0';
  t.true(ask(url, 'g/a.B:2.0.0'));
  t.true(ask(url, '*/a.B:*'));
  t.true(ask(url, 'f,g/a.B:2.0.0'));
  t.true(ask(url, 'g/a.B:2.0.0?protocol=dubbo'));
  t.false(ask(url, 'g/a.B:2.0.0?protocol=tri'));
  t.false(ask(url, 'a.B:2.0.0'));
  t.false(ask(url, 'g/a.B'));
  t.false(ask(url, 'g/a.C:2.0.0'));
  t.false(ask(`${url}&category=configurators`, 'g/a.B:2.0.0'));
  t.false(ask(`${url}&enabled=false`, 'g/a.B:2.0.0'));
  t.false(ask('dubbo://10.0.0.1/a.B', 'a.B'));
  t.is(endpointOfUrl(read(`${url}&disabled=true`), parseServiceName('g/a.B:2.0.0'))?.weight, 0);
  t.is(endpointOfUrl(read(`${url}&weight=oops`), parseServiceName('g/a.B:2.0.0'))?.weight, 100);
  t.is(endpointOfUrl(read(`${url}&weight=-3`), parseServiceName('g/a.B:2.0.0'))?.weight, 0);
});

test('an instance that Curator wrote is read, and one that we write is read again', (t) => {
  const metadata = {
    [instanceKeys.endpoints]: '[{"port":20880,"protocol":"dubbo"},{"port":50051,"protocol":"tri"}]',
    [instanceKeys.revision]: 'abc',
    [instanceKeys.storageType]: 'local',
  };
  const instance = instanceOf('java-app', '127.0.0.1', 20880, metadata);
  const fromJava = `{"name":"java-app","id":"127.0.0.1:20880","address":"127.0.0.1","port":20880,"sslPort":null,"payload":{"@class":"org.apache.dubbo.registry.zookeeper.ZookeeperInstance","id":"127.0.0.1:20880","name":"java-app","metadata":${JSON.stringify(metadata)}},"registrationTimeUTC":1795220397568,"serviceType":"DYNAMIC","uriSpec":null,"enabled":true}`;
  t.deepEqual(parseCuratorInstance(fromJava), instance);
  t.deepEqual(parseCuratorInstance(formatCuratorInstance(instance, 5)), instance);
  const overV6 = instanceOf('v6', '::1', 20880, {});
  t.is(overV6.address, '[::1]:20880');
  t.deepEqual(parseCuratorInstance(formatCuratorInstance(overV6, 5)), overV6);
  t.is(portFor(instance, 'tri'), 50051);
  t.is(portFor(instance, 'rest'), 0);
  t.is(portFor(instanceOf('a', 'h', 1, { [instanceKeys.endpoints]: '{' }), 'tri'), 0);
});

test('an instance that is garbage is refused with what is wrong', (t) => {
  for (const [text, reason] of [
    ['', /not JSON/],
    ['[]', /not an object/],
    ['{}', /no name/],
    ['{"name":"a"}', /no address/],
    ['{"name":"a","address":"h","port":"1"}', /no port/],
    ['{"name":"a","address":"h","port":70000}', /no port/],
  ] as const) {
    t.regex(parseCuratorInstance(text) as string, reason);
  }
});

test('metadata of a revision is read and written', (t) => {
  const text = JSON.stringify({
    app: 'greeter',
    revision: 'abc',
    services: {
      'g/a.B:1.0.0:dubbo': {
        name: 'a.B',
        group: 'g',
        version: '1.0.0',
        protocol: 'dubbo',
        port: 20880,
        path: 'a.B',
        params: { timeout: '3000', retries: 2 },
      },
      'a.C:tri': { name: 'a.C', protocol: 'tri' },
    },
  });
  const metadata = parseMetadataInfo(text);
  if (typeof metadata === 'string') return t.fail(metadata);
  const [first, second] = [...metadata.services.values()];
  t.deepEqual(first?.parameters, { timeout: '3000', retries: '2' });
  t.is(first === undefined ? '' : matchKeyOf(first), 'g/a.B:1.0.0:dubbo');
  t.is(second?.port, 0);
  t.deepEqual(parseMetadataInfo(formatMetadataInfo(metadata)), metadata);
  for (const bad of ['', '3', '{"services":[]}', '{"services":{"a":{}}}']) {
    t.is(typeof parseMetadataInfo(bad), 'string', bad);
  }
});

test('a revision names what is provided: the same services the same text, in any order', (t) => {
  const service = (name: string, parameters: Record<string, string>) =>
    [
      `${name}:dubbo`,
      { name, group: '', version: '', protocol: 'dubbo', port: 1, path: name, parameters },
    ] as const;
  const a = service('a', { x: '1', y: '2' });
  const b = service('b', {});
  t.is(revisionOf('app', new Map()), '0');
  t.is(revisionOf('app', new Map([a, b])), revisionOf('app', new Map([b, service('a', { y: '2', x: '1' })])));
  t.not(revisionOf('app', new Map([a])), revisionOf('app', new Map([b])));
  t.regex(revisionOf('app', new Map([a])), /^[0-9a-f]{32}$/);
});

test("SOFARPC's providers are told apart by unique id, their path means nothing", (t) => {
  const asked = parseServiceName('a.B:1.0');
  const text = formatSofaUrl({
    protocol: 'bolt',
    host: '10.0.0.1',
    port: 12200,
    service: asked,
    application: 'shop',
    weight: 50,
    parameters: {},
  });
  t.is(
    text,
    'bolt://10.0.0.1:12200?appName=shop&interface=a.B&language=nodejs&protocol=bolt&serialization=hessian2&version=1.0&weight=50&uniqueId=',
  );
  t.is(endpointOfSofaUrl(read(text), asked)?.weight, 50);
  t.is(endpointOfSofaUrl(read(text), parseServiceName('a.B'))?.address, '10.0.0.1:12200');
  t.is(endpointOfSofaUrl(read(`${text}&uniqueId=u`), asked), null);
  t.is(endpointOfSofaUrl(read('bolt://h:1?uniqueId=u'), parseServiceName('u/a.B'))?.address, 'h:1');
});
