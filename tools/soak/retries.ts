/**
 * How long a client goes on asking until an answer stands: some two minutes, longer than any fault lasts. What has no
 * answer then, is a finding.
 */
export const retries = { attempts: 70, longestPauseMilliseconds: 2000 } as const;
