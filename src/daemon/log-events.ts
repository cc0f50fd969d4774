// Every kind of line carpd logs. The `event` field of a line is one of these names and stays
// stable, so that alerts and scripts may rely on it; the message is for people and may be reworded.

/** Event names with what they tell. */
export const LOG_EVENTS = {
  'daemon-started': 'the configuration is valid and the daemon runs',
  'daemon-stopped': 'everything was released and the process ends',
  'daemon-failed': 'carpd found a fault in itself, released what it held and ends',
  'daemon-stopping': 'a signal or the end of an interface makes carpd release everything and end',
  'signal-received': 'a signal was received, and what it makes carpd do',
  'configuration-warning': 'the configuration is valid but may not be what was meant',
  'configuration-rejected': 'a new configuration is faulty; the old one stays in force',
  'configuration-reloaded': 'which instances were added, changed, removed or left alone',
  'interface-usable': 'the interface is there, up and has its source address',
  'interface-unusable': 'the interface is missing, down or lacks its source address',
  'socket-failed': 'a socket failed and is opened again',
  transition: 'an instance changed its state, and why',
  conflict: 'a second master is heard',
  'packet-dropped': 'a packet of protocol 112 was not believed, and why',
  'send-failed': 'an advert could not be sent',
  'send-blocked': 'the firewall refused an advert, which left through the packet socket',
  demotion: 'sending fails or works again: the node bids with another skew',
  'vip-added': 'the virtual IP is on the interface',
  'vip-removed': 'the virtual IP is off the interface',
  'vip-stale': 'the virtual IP was on the interface while this node was not master',
  'vip-failed': 'the virtual IP could not be added or removed',
  announced: 'a gratuitous ARP was sent',
  'announce-failed': 'a gratuitous ARP could not be sent',
  'hook-finished': 'a hook ended, how, and after how long',
  'hook-output': 'a line that a hook printed',
  'late-wake': 'the process was stalled; what arrived meanwhile is read first',
  'queue-overflow': 'packets came in faster than they could be judged, and some were dropped',
  'log-gap': 'lines of the log were dropped at this place, because nobody took them',
  state: 'the state of an instance, on request',
} as const;

export type LogEventName = keyof typeof LOG_EVENTS;
