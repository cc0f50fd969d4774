// Carries out what the election of one instance wants: adverts, the address with its announcements
// and hooks, and the end of the instance. What became of it goes back to the election.
import { unreachable } from '../../base/assert.ts';
import type { Micros } from '../../base/time.ts';
import type { Ipv4 } from '../../base/addresses.ts';
import type { GroupKey } from '../../carp/digest.ts';
import type { InstanceConfig } from '../../config/config.ts';
import type { AnnounceReason, Effect } from '../../election/effects.ts';
import type { ElectionSnapshot } from '../../election/snapshot.ts';
import type { InstanceEvents } from '../../events/publish/instance-events.ts';
import type { InstancePorts } from '../../ports/ports.ts';
import type { Holding } from '../../release/holding.ts';
import type { LastTransition } from '../../report/report.ts';
import type { InstanceInput } from '../../segment/inputs.ts';
import { Announcer, type Announcement } from '../../vip/announcer.ts';
import type { HookSlots } from '../../vip/hook-slots.ts';
import type { Driver } from '../interface/driver.ts';
import type { EffectPerformer } from '../interface/segment-member.ts';
import type { InterfaceMember } from '../interface/interface-members.ts';
import type { SharedInterface } from '../interface/shared-interface.ts';
import { AdvertSender } from './advert-sender.ts';
import { Ending, type EndRequest } from './ending.ts';
import { hookSituation } from './hook-situation.ts';
import type { InstanceRecord } from './instance-record.ts';
import { MasterResources } from './master-resources.ts';

export interface EffectRunnerOptions extends InstancePorts {
  /** As it is in force now: a reload may change it in place. */
  readonly config: () => InstanceConfig;
  /** For the hooks of all instances. */
  readonly hookSlots: HookSlots;
  readonly key: GroupKey;
  readonly sharedInterface: SharedInterface;
  readonly driver: Driver;
  readonly instanceEvents: InstanceEvents;
  readonly record: InstanceRecord;
  /** The instance as its interface knows it. */
  readonly member: InterfaceMember;
  /** The address that the next advert comes from; undefined: none can be sent. */
  readonly source: () => Ipv4 | undefined;
  readonly election: () => ElectionSnapshot;
  /** Tells the election what became of an effect. */
  readonly feed: (input: InstanceInput) => void;
}

/** Carries out the effects of one election. */
export class EffectRunner implements EffectPerformer {
  readonly #options: EffectRunnerOptions;
  readonly #sender: AdvertSender;
  readonly #announcer: Announcer;
  readonly #resources: MasterResources;
  readonly #ending: Ending;
  #lastTransition: LastTransition | undefined;

  constructor(options: EffectRunnerOptions) {
    this.#options = options;
    this.#sender = this.#createSender();
    this.#announcer = this.#createAnnouncer();
    this.#resources = this.#createResources();
    this.#ending = this.#createEnding();
  }

  /** Begins it; `masterDownAt`: when the master's time was over, as it stood before. */
  perform(effect: Effect, masterDownAt: Micros | undefined): void {
    const { sharedInterface, instanceEvents, election, member, now } = this.#options;
    switch (effect.kind) {
      case 'send-advert':
        return this.#sender.send(effect);
      case 'state-changed':
        this.#lastTransition = { ...effect, at: now() };
        instanceEvents.transition(effect, election(), masterDownAt);
        return sharedInterface.mastersChanged();
      case 'claim-vip':
        return this.#resources.claim(effect.term);
      case 'release-vip':
        return this.#resources.release(effect.term);
      case 'announce':
        return this.#announcer.announce(announcementOf(effect));
      case 'ask-for-vip':
        return sharedInterface.askForVip(member);
      case 'stop-announcing':
        return this.#announcer.stop();
      case 'run-hook':
        return this.#resources.runHook({ hook: effect.hook, term: effect.term });
      case 'conflict-heard':
        return instanceEvents.conflict(effect.peer, effect.equal, effect.announces);
      case 'demotion-changed':
        return instanceEvents.demotion(effect.demoted, election().effectiveAdvskew);
      case 'step-down-stuck':
        return this.#stepDownStuck(effect);
      case 'stopped':
        return this.#ending.over();
      default:
        return unreachable(effect);
    }
  }

  /** Undefined: there was none. */
  get lastTransition(): LastTransition | undefined {
    return this.#lastTransition;
  }

  /** Why the virtual IP could not be taken off, as far as that is known. */
  get vipFault(): string | undefined {
    return this.#resources.releaseFault;
  }

  /** The election has ended. */
  get isOver(): boolean {
    return this.#ending.isOver;
  }

  /** Has the election end; resolves when nothing is under way, or to false where it stays. */
  end(request: EndRequest): Promise<boolean> {
    return this.#ending.ask(request);
  }

  /** Who was asked to end by a reload must end now. */
  insist(): void {
    this.#ending.insist();
  }

  /** The election has taken a step: ends what is over and idle. */
  stepped(): void {
    this.#ending.check();
  }

  /** Takes off an address that an earlier run left. */
  removeStale(): Promise<void> {
    return this.#resources.removeStale();
  }

  /** Ends the hooks and says what is to be undone at once; for a fault in carpd itself. */
  abandon(): Holding {
    return this.#resources.abandon();
  }

  /** Returns the command that removes what could not be removed; undefined: there is no need. */
  close(): string | undefined {
    this.#announcer.stop();
    this.#resources.close();
    return this.#resources.leftBehind;
  }

  #stepDownStuck(effect: Extract<Effect, { kind: 'step-down-stuck' }>): void {
    this.#options.instanceEvents.stuck(effect, this.vipFault ?? 'the log says why');
    if (!effect.stays) return;
    this.#resources.staying();
    this.#ending.stays();
  }

  #createSender(): AdvertSender {
    const { instanceEvents, driver, feed } = this.#options;
    return new AdvertSender({
      ...this.#options,
      onDone: (sent, ok) => {
        if (ok) instanceEvents.advertSent(sent);
        if (sent.advert !== 'regular') this.#ending.check();
        else driver.post(() => feed({ kind: 'advert-sent', ok }));
      },
      onFailed: (unsent, reason) => instanceEvents.sendFailed(unsent, reason),
    });
  }

  #createAnnouncer(): Announcer {
    const { config, sharedInterface, instanceEvents } = this.#options;
    return new Announcer({
      ...this.#options,
      vip: config().address.ip,
      mac: () => sharedInterface.mac(),
      pace: () => config().announce,
      sender: { send: (frame) => sharedInterface.sendFrame(frame) },
      onSent: () => instanceEvents.announced(),
      onSendError: (reason) => instanceEvents.announceFailed(reason),
    });
  }

  #createResources(): MasterResources {
    const { sharedInterface, driver, record, now } = this.#options;
    return new MasterResources({
      ...this.#options,
      keeper: sharedInterface.keeper,
      mayAnotherServe: () => record.mayAnotherServe(now()),
      interfaceName: () => sharedInterface.place.name,
      ifindex: () => sharedInterface.place.ifindex,
      post: (run) => driver.post(run),
      advertsOut: () => this.#sender.allOut,
      situation: () => this.#situation(),
      onChanged: () => this.#ending.check(),
    });
  }

  #situation(): Readonly<Record<string, string>> {
    const { config, election, source } = this.#options;
    const lastTransition = this.#lastTransition;
    return hookSituation({
      ...{ name: config().name, election: election(), lastTransition, source: source() },
    });
  }

  #createEnding(): Ending {
    const { driver, feed } = this.#options;
    return new Ending({
      post: (run) => driver.post(run),
      begin: (kind) => {
        this.#resources.stopping();
        feed({ kind });
      },
      // The socket must not be closed before the bow-out has left through it.
      isIdle: () => !this.#resources.busy && this.#sender.pending === 0,
    });
  }
}

/** They answer what another host has said, who may say it as often as it likes. */
const DEFENCES: ReadonlySet<AnnounceReason> = new Set(['conflict', 'contested']);

function announcementOf({ reason, burst }: Extract<Effect, { kind: 'announce' }>): Announcement {
  return { burst, defends: DEFENCES.has(reason) };
}
