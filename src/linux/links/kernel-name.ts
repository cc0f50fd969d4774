// The name by which the kernel knows an interface, whatever name somebody calls it.
import { openLinkWatch } from './link-watch.ts';

/** As it is given where there is no such interface. Rejects where the kernel can't be asked. */
export async function kernelName(interfaceName: string): Promise<string> {
  const links = await openLinkWatch({ onChange: () => undefined, onError: () => undefined });
  const link = links.find(interfaceName);
  links.close();
  return link?.name ?? interfaceName;
}
