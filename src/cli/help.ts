// The help texts of both programs, at most 80 columns wide.
import { unreachable } from '../base/assert.ts';
import { CONTROL_SOCKET_DEFAULT } from '../config/config.ts';
import { UCARP_OPTIONS, type UcarpOption } from '../config/ucarp/ucarp-options.ts';
import type { CommandName } from './commands.ts';

/** Help on a command of carpd, or on carpd as a whole. Ends with a line feed. */
export function carpdHelp(topic: CommandName | undefined): string {
  switch (topic) {
    case undefined:
      return CARPD;
    case 'run':
      return RUN;
    case 'check':
      return CHECK;
    case 'status':
      return STATUS;
    case 'explain':
      return EXPLAIN;
    case 'watch':
      return WATCH;
    case 'handover':
      return HANDOVER;
    case 'maintenance':
      return MAINTENANCE;
    case 'init':
      return INIT;
    case 'sniff':
      return SNIFF;
    case 'doctor':
      return DOCTOR;
    case 'release':
      return RELEASE;
    default:
      return unreachable(topic);
  }
}

/** The help of our ucarp: the options of ucarp 1.5.2 in their order, then ours. */
export function ucarpHelp(version: string): string {
  const list = (own: boolean): string =>
    UCARP_OPTIONS.filter(({ abbreviable }) => abbreviable !== own)
      .map(optionLines)
      .join('');
  return `ucarp (carpd ${version}): keeps a virtual IP on one of several hosts, as UCARP

Usage: ucarp [options]    --srcip, --vhid, --addr and a password are needed

${list(false)}
Not in ucarp 1.5.2:
${list(true)}
Example: hold 10.1.1.252 on eth0 together with other hosts that run the same
with their own --srcip; the scripts add and remove the address.

  ucarp --interface=eth0 --srcip=10.1.1.1 --vhid=1 --passfile=/etc/vip.pass \\
        --addr=10.1.1.252 \\
        --upscript=/etc/vip-up.sh --downscript=/etc/vip-down.sh

Scripts are called as: SCRIPT INTERFACE ADDRESS [XPARAM]
Exit codes: 0 stopped or help, 1 bad option, 2 set-up failed.
`;
}

const CARPD = `carpd: keeps a virtual IP on exactly one of several hosts (CARP, as UCARP)

Usage: carpd COMMAND [options]

Commands:
  init                           write a first configuration, with questions
  run --config FILE              the daemon, in the foreground
  check --config FILE [--json]   validate a configuration and print it complete
  status [--watch] [--json]      the state of every instance of a running carpd
  explain NAME [--json]          why it is master, backup or held: the evidence
  watch [NAME] [--text]          what happens, as it happens, as lines of JSON
  handover NAME|--all [--force]  step down now and let a peer take over
  maintenance on|off [NAME]      never master while on; survives a restart
  sniff -i IF | -r FILE.pcap     adverts on the wire, and who sends them
  doctor [--config FILE | -i IF] what on this host and its links is in the way
  release [--config FILE]        take off what a daemon that was killed has left

Options:
  -h, --help       this help; carpd COMMAND --help tells more about a command
  -V, --version    print the version

Exit codes: 0 done, 1 failed while running, 2 wrong usage or configuration.
`;

const SNIFF = `Usage: carpd sniff -i IF [--seconds N] [--count N] [--config FILE] [--json]
       carpd sniff -r FILE.pcap [--count N] [--config FILE] [--json]

Shows every packet of IP protocol 112 as it passes the interface, ahead of the
firewall, or as it stands in a capture of tcpdump: adverts, VRRP, and what no
receiver would take. At the end, a line for each speaker. Needs root with -i.

Options:
  -i IF            listen on this interface, until Ctrl-C
  -r FILE          read a capture file; - is standard input
  --config FILE    say whether digests are right for its instances
  --count N        end after so many packets
  --seconds N      end after so many seconds
  --json           one JSON object a line
  -h, --help       this help

Exit codes: 0 done, 1 can't listen or read, 2 wrong usage or configuration.
`;

const RELEASE = `Usage: carpd release [--config FILE] [--quiet] [NAME...]

Takes off what a daemon that was killed has left: each virtual IP that is on its
interface, and what its up hook began, by the down hook. The unit of systemd
runs it whenever the daemon has ended. An instance that is master in a running
carpd is left alone, by the lock that each daemon holds on its groups, whatever
file it runs with. Passphrases are not needed, nor is the daemon.

Options:
  --config FILE    /etc/carpd/carpd.yaml if not given
  --quiet          say nothing of addresses that are not there
  -h, --help       this help

Exit codes: 0 all are off; 1 one is not, or its down hook failed; 2 wrong usage,
configuration, or no such instance.
`;

const DOCTOR = `Usage: carpd doctor [--config FILE | -i IF] [--seconds N] [--json]

Looks at everything that a CARP group needs, and says what is in the way, and
what to do about it: rights, interface, bond and LACP, firewall, settings of the
kernel, other daemons; and on the segment the switch, the peers, who has the
addresses, and whether adverts get through. Changes nothing, and works beside a
running carpd. Without root it looks at less, and says so.

Options:
  --config FILE    of the daemon; /etc/carpd/carpd.yaml if not given
  -i IF            look at an interface alone, before there is a configuration
  --seconds N      how long to listen on each segment, 0-999: 10 if not given;
                   0 listens to none. LLDP takes up to 30
  --json           the findings as JSON
  -h, --help       this help

Exit codes: 0 nothing worse than a note, 1 a failure or a warning, 2 wrong usage
or configuration.
`;

const INIT = `Usage: carpd init [--interface IF] [--address IP/PREFIX] [--peers IP,...]
                  [--name NAME] [--vhid N] [--advskew N] [--config FILE]
                  [--passphrase-file FILE] [--force] [--no-doctor]

Writes a configuration and a passphrase file, looks for what is in the way, and
says what to do next, on this host and on the others. Asks on the terminal for
what is not given.

Options:
  --interface IF          the interface of the segment
  --address IP/PREFIX     the virtual IP
  --peers IP,...          the real addresses of the other nodes
  --name NAME             of the instance; vip if not given
  --vhid N                1-255; if not given, the last number of the virtual IP
  --advskew N             0-255; if not given, by the order of the addresses of
                          this node and its peers, so that no two are alike
  --config FILE           where to write; /etc/carpd/carpd.yaml if not given
  --passphrase-file FILE  kept if it is there, else written with a new
                          passphrase; NAME.pass beside the configuration
  --force                 replace a configuration; the old one gets .old
  --no-doctor             do not look for what is in the way
  -h, --help              this help

Exit codes: 0 written, 1 not writable or there already, 2 wrong answers.
`;

const RUN = `Usage: carpd run --config FILE

Runs the daemon in the foreground until SIGTERM or SIGINT.

Options:
  --config FILE    the configuration, YAML or JSON
  -h, --help       this help

Signals:
  SIGTERM, SIGINT  step down where master, then end
  SIGUSR1          log the state of every instance
  SIGUSR2          hand over: step down and let a peer take over
  SIGHUP           read the configuration again; unchanged instances go on

A signal that comes while the daemon starts is obeyed once it is up.

One daemon serves a group on a host: the kernel keeps a lock for each interface
and vhid, for as long as the process lives. Who comes second names the holder,
waits a moment where that one is ending, and ends with 2. A stock ucarp holds no
lock: carpd warns of one that runs on the same interface with the same vhid.

Exit codes: 0 stopped, 1 failed while running, 2 wrong configuration.
`;

const CHECK = `Usage: carpd check --config FILE [--json | --quiet] [--no-passphrases]

Validates the configuration and prints the one in effect: defaults filled in,
passphrases redacted. Prints every fault at once, each with its place.

Options:
  --config FILE      the configuration, YAML or JSON
  --json             print JSON instead of YAML
  --quiet            print faults and warnings only
  --no-passphrases   do not read passphrase files and credentials
  -h, --help         this help

Exit codes: 0 valid, 2 not valid or not readable.
`;

const STATUS = `Usage: carpd status [--watch] [--json] [--socket PATH]

Prints a table of the instances of the carpd that runs here: their state, the
peers they heard, what would happen next, and how ready their links are.

Options:
  --watch          again every second, in place on a terminal, until Ctrl-C
  --json           print all that is known of them, as JSON
  --socket PATH    its control.socket; ${CONTROL_SOCKET_DEFAULT} if not given
  -h, --help       this help

Colour is used on a terminal, unless NO_COLOR is set.

Exit codes: 0 done, 1 no daemon answers, 2 wrong usage.
`;

const EXPLAIN = `Usage: carpd explain NAME [--json] [--socket PATH]

Says why the instance NAME is master, backup or held: the evidence with its
age, what LACP says of each port, what is missing, and what would help.

Options:
  --json           print it as JSON
  --socket PATH    the daemon's control.socket;
                   ${CONTROL_SOCKET_DEFAULT} if not given
  -h, --help       this help

Exit codes: 0 done, 1 no daemon answers, 2 wrong usage or no such instance.
`;

const WATCH = `Usage: carpd watch [NAME] [--json | --text] [--verbose] [--socket PATH]

Prints what happens as it happens, one event a line, until Ctrl-C: first the
state of every instance, then transitions, changes of gates and links, virtual
IPs, hooks, conflicts. With NAME, only what concerns that instance.

Options:
  --json           lines of JSON, which is the default; docs/events.md has them
  --text           sentences for people
  --verbose        also each advert, rejected packet and line of a hook
  --socket PATH    the daemon's control.socket;
                   ${CONTROL_SOCKET_DEFAULT} if not given
  -h, --help       this help

Who reads too slowly gets a line "gap" with the number of events left out.

Exit codes: 0 ended by Ctrl-C or by the reader; 1 the daemon is gone, or has too
many watchers; 2 wrong usage or no such instance.
`;

const HANDOVER = `Usage: carpd handover NAME | --all [--force] [--json] [--socket PATH]

Makes the instance NAME, or every instance, step down where it is master, waits
until another master is heard, and says which one and after how long. Refused
when no peer answers: its hosts are asked by ARP, and who advertises counts too.
The node does not preempt afterwards; it takes over again if nobody else does.

Options:
  --all            every instance
  --force          also when no peer answers
  --json           print what came of it as JSON
  --socket PATH    the daemon's control.socket;
                   ${CONTROL_SOCKET_DEFAULT} if not given
  -h, --help       this help

Exit codes: 0 done, or it was not master; 1 refused, nobody took over, or no
daemon answers; 2 wrong usage or no such instance.
`;

const MAINTENANCE = `Usage: carpd maintenance [NAME | --all] [--json] [--socket PATH]
       carpd maintenance on [NAME | --all] [--force] [--json] [--socket PATH]
       carpd maintenance off [NAME | --all] [--json] [--socket PATH]

While maintenance is on, the instance is never master, also after a restart of
carpd or of the machine. Turning it on where it is master is a handover, by the
same rule. Without NAME every instance is meant; without on and off, it shows
how it is.

Options:
  --all            every instance, as without NAME
  --force          also when no peer answers
  --json           print what came of it as JSON
  --socket PATH    the daemon's control.socket;
                   ${CONTROL_SOCKET_DEFAULT} if not given
  -h, --help       this help

Exit codes: 0 done; 1 refused, nobody took over, or no daemon answers; 2 wrong
usage or no such instance.
`;

const DOC_COLUMN = 30;

function optionLines({ long, short, valueName, doc }: UcarpOption): string {
  const shown = `--${long[0] ?? ''}${valueName === undefined ? '' : `=<${valueName}>`}`;
  const names = short === '' ? `      ${shown}` : `  -${short}, ${shown}`;
  return `${names.padEnd(DOC_COLUMN)}${doc}\n`;
}
