/** This process's environment without what loading Lyceum put into it: others run as they come, and are told their threads. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { GOMP_SPINCOUNT: _, OMP_NUM_THREADS: __, ...env } = process.env;
  return env;
}
