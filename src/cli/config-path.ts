// Where the configuration is if nothing else is said.
export const CONFIG_PATH_DEFAULT = '/etc/carpd/carpd.yaml';
