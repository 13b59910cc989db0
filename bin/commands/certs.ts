import { Argument, type Command, InvalidArgumentError } from 'commander';
import {
  type CertificateFiles,
  CertificateFolder,
  type RevocationFile,
  type RotationResult,
} from '../../src/index.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface CommonOptions {
  readonly dir: string;
  readonly json?: boolean;
}

interface InitOptions extends CommonOptions {
  readonly trustDomain: string;
  readonly days: number;
  readonly force?: boolean;
}

interface IssueOptions extends CommonOptions {
  readonly spiffe?: string | false;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly hours: number;
  readonly force?: boolean;
}

interface RotateOptions extends CommonOptions {
  readonly force?: boolean;
}

interface RevokeOptions extends CommonOptions {
  readonly serial?: readonly string[];
  readonly days: number;
}

type AuthorityStep = 'begin' | 'switch' | 'finish';

interface AuthorityOptions extends CommonOptions {
  readonly days?: number;
  readonly force?: boolean;
}

/** A CA of your own and the certificates of workloads, for development and tests. */
export function register(program: Command): void {
  const certs = program
    .command('certs')
    .description('a local CA and short-lived certificates for mutual TLS in development')
    .addHelpText(
      'after',
      '\nExamples:\n  heddle certs init --trust-domain dev.local\n  heddle certs issue gateway users\n  heddle certs rotate\n  heddle certs revoke users\n  heddle certs rotate-ca begin',
    );
  common(certs.command('init').description('make the CA: ca.pem and ca.key'))
    .option('--trust-domain <name>', 'SPIFFE trust domain', 'dev.local')
    .option('--days <n>', 'lifetime', count(36_500), 365)
    .option('--force', 'replace the CA that is there: what it issued is worth nothing then')
    .action(async ({ dir, trustDomain, days, force, json }: InitOptions) => {
      const made = await new CertificateFolder(dir).init(trustDomain, days * dayMs, force);
      tell(json, { ...made, trustDomain }, [
        `${made.cert} is the CA of ${trustDomain} until ${made.expires}`,
      ]);
    });
  common(certs.command('issue').description('make a key and a certificate for each name'))
    .argument('<names...>', 'of the files; also the last part of the SPIFFE id and a DNS name')
    .option('--spiffe <id>', 'default: spiffe://<trust domain>/<name>')
    .option('--no-spiffe', 'no SPIFFE id')
    .option('--dns <names>', 'DNS names, default: the name and localhost', list)
    .option('--ip <addresses>', 'IP addresses, default: 127.0.0.1 and ::1', list)
    .option('--hours <n>', 'lifetime', count(876_000), 24)
    .option('--force', 'replace those that are there')
    .action(async (names: readonly string[], options: IssueOptions) => {
      const issued = await issueAll(names, options);
      tell(options.json, { issued }, issued.map(described));
    });
  common(certs.command('rotate').description('issue anew what has less than half of its lifetime left'))
    .argument('[names...]', 'default: all of the folder')
    .option('--force', 'whatever is left of it')
    .action(async (names: readonly string[], { dir, force, json }: RotateOptions) => {
      const result = await new CertificateFolder(dir).rotate(names, force);
      tell(json, result, told(result));
    });
  common(certs.command('revoke').description('write ca.crl: what listeners and clusters read as "crl"'))
    .argument('[names...]', 'whose certificates as they are now; none: the list gets all of its time again')
    .option('--serial <numbers>', 'of certificates that are not here any more, hexadecimal', list)
    .option('--days <n>', 'until when the list is good: nobody is let in after that', count(3650), 30)
    .action(async (names: readonly string[], { dir, serial, days, json }: RevokeOptions) => {
      const revoked = await new CertificateFolder(dir).revoke(names, days * dayMs, serial);
      tell(json, revoked, [listed(revoked)]);
    });
  common(certs.command('rotate-ca').description('put a new CA in the place of the old one, in three steps'))
    .addArgument(new Argument('<step>', authoritySteps).choices(['begin', 'switch', 'finish']))
    .option('--days <n>', 'lifetime of the new CA, default: that of the old one', count(36_500))
    .option('--force', 'finish although certificates of the old CA are there')
    .action(async (step: AuthorityStep, options: AuthorityOptions) => {
      await rotateAuthority(step, options);
    });
}

const authoritySteps =
  'begin: a new CA, trusted beside the old one; switch: it issues everything anew; finish: the old one is trusted no more';

async function rotateAuthority(
  step: AuthorityStep,
  { dir, days, force, json }: AuthorityOptions,
): Promise<void> {
  const folder = new CertificateFolder(dir);
  if (step === 'begin') {
    const authority = await folder.beginAuthority(days === undefined ? undefined : days * dayMs);
    tell(json, { step, authority }, [
      `${authority.cert} is a CA until ${authority.expires}; ca.pem holds both, the old one issues`,
      'once every workload has read ca.pem: heddle certs rotate-ca switch',
    ]);
  } else if (step === 'switch') {
    const { authority, ...result } = await folder.switchAuthority();
    tell(json, { step, authority, ...result }, [
      `${authority.cert} issues until ${authority.expires}; the old CA is trusted still`,
      ...told(result),
      'once every workload has read its certificate: heddle certs rotate-ca finish',
    ]);
  } else {
    const authority = await folder.finishAuthority(force);
    tell(json, { step, authority }, [`${authority.cert} is the only CA, until ${authority.expires}`]);
  }
}

function told({ rotated, kept, revoked, renewed }: RotationResult): string[] {
  return [
    ...rotated.map(described),
    ...kept.map((name) => `${name} is kept`),
    ...revoked.map((name) => `${name} is revoked: "heddle certs issue ${name} --force" makes another`),
    ...(renewed === null ? [] : [listed(renewed)]),
  ];
}

const listed = ({ path, serials, expires }: RevocationFile): string =>
  `${path} revokes ${serials.length} ${serials.length === 1 ? 'certificate' : 'certificates'} and is good until ${expires}`;

function common(command: Command): Command {
  return command
    .option('-d, --dir <folder>', 'where CA and certificates are', 'certs')
    .option('--json', 'print what was written as JSON; keys are never printed');
}

async function issueAll(names: readonly string[], options: IssueOptions): Promise<CertificateFiles[]> {
  const { dir, spiffe, dns, ip, hours, force } = options;
  const folder = new CertificateFolder(dir);
  const issued: CertificateFiles[] = [];
  for (const name of names) {
    issued.push(
      await folder.issue({
        name,
        spiffeId: spiffe === false ? null : spiffe,
        dnsNames: dns,
        ipAddresses: ip,
        lifetimeMs: hours * hourMs,
        force,
      }),
    );
  }
  return issued;
}

function tell(isJson: boolean | undefined, result: object, lines: readonly string[]): void {
  console.log(isJson ? JSON.stringify(result) : lines.join('\n'));
}

const described = ({ cert, spiffeId, expires }: CertificateFiles): string =>
  `${cert} is good until ${expires}${spiffeId === '' ? '' : `, ${spiffeId}`}`;

const list = (text: string): string[] => text.split(',').filter((each) => each !== '');

function count(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from 1 to ${most} is needed.`);
  };
}
