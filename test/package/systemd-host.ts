// A host of a lab on which systemd is process 1: a container on this kernel, in the namespace of
// the lab's host, with a folder of packages at /mnt.
import type { Host } from '../../lab/host.ts';
import { eventually } from '../../lab/wait.ts';
import { debName } from './build.ts';
import { makeBaseImages, podman, podmanSync, succeeds } from './podman.ts';

const IMAGE = 'carpd-test-systemd';
const BOOT_MS = 120_000;

// What any Debian server has, and a folder to build in that is empty.
const DOCKERFILE = `FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \\
  systemd iproute2 libstdc++6
STOPSIGNAL SIGRTMIN+3
CMD ["/lib/systemd/systemd"]
`;

export class SystemdHost {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  /** Boots one; it is killed when the test is over. */
  static async boot(
    scope: { after(callback: () => void): void },
    host: Host,
    packages: string,
  ): Promise<SystemdHost> {
    await makeBaseImages();
    const how = `--quiet --pull=never --network=host -t ${IMAGE}`;
    const build = `printf '%s' "$1" | podman build ${how} -`;
    await succeeds(['bash', '-euc', build, 'bash', DOCKERFILE]);
    const name = host.netns;
    scope.after(() => podmanSync('rm', '--force', '--time=0', name));
    const network = `--network=ns:/run/netns/${host.netns}`;
    const rights = ['--cap-add=SYS_ADMIN,NET_ADMIN,NET_RAW', '--security-opt=seccomp=unconfined'];
    const mount = `--volume=${packages}:/mnt:ro`;
    const options = ['--systemd=always', '--detach', `--name=${name}`, network, ...rights, mount];
    await succeeds(['podman', 'run', ...options, IMAGE]);
    const booted = new SystemdHost(name);
    const isUp = async (): Promise<boolean> =>
      /^(running|degraded)$/m.test((await booted.run('systemctl', 'is-system-running')).output);
    await eventually(isUp, { withinMs: BOOT_MS, everyMs: 200, what: 'systemd to be up' });
    // As on any host; in a container nobody does it, and credentials reach no service then.
    await booted.sh('mount --make-rshared /');
    return booted;
  }

  /** Installs the package of carpd; yields what dpkg said. */
  install(version?: string): Promise<string> {
    return this.sh(`dpkg --install /mnt/${debName('carpd', version)}`);
  }

  /** Writes the configuration /etc/carpd/NAME.yaml for the user of the daemon alone. */
  async configure(text: string, name = 'carpd'): Promise<void> {
    const file = `/etc/carpd/${name}.yaml`;
    await this.sh(`cat >${file} <<'END'\n${text}END\nchown carpd ${file}; chmod 600 ${file}`);
  }

  /** Adds to a unit, as systemctl edit does. */
  async edit(unit: string, name: string, text: string): Promise<void> {
    const folder = `/etc/systemd/system/${unit}.service.d`;
    await this.sh(`mkdir -p ${folder}; printf '${text}\\n' >${folder}/${name}.conf
      systemctl daemon-reload`);
  }

  /** A property of a unit, such as ActiveState or NRestarts. */
  property(unit: string, name: string): Promise<string> {
    return this.sh(`systemctl show --property=${name} --value ${unit}`);
  }

  /** What a unit has logged, the messages alone; `options` of journalctl choose. */
  journal(unit: string, options = ''): Promise<string> {
    return this.sh(`journalctl --unit=${unit} --output=cat --no-pager ${options}`);
  }

  /** Runs a command on it to its end. */
  async run(...argv: readonly string[]): Promise<{ code: number | null; output: string }> {
    const child = podman('exec', this.#name, ...argv);
    const { code } = await child.ended(BOOT_MS);
    return { code, output: child.lines.map(({ text }) => text).join('\n') };
  }

  /** Runs a shell script on it; throws with what it said if it fails. */
  sh(script: string): Promise<string> {
    return succeeds(['podman', 'exec', this.#name, 'sh', '-euc', script]);
  }
}
