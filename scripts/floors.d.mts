import type { Rule } from 'eslint';

export declare const FLOORS: readonly (readonly string[])[];
export declare function floorFault(from: string, to: string): string | undefined;
export declare const floorsRule: Rule.RuleModule;
