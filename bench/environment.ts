/**
 * The environment for other processes: this one's without the variables that loading Lyceum sets, so that they run as they
 * would by themselves. Their number of threads is given to them in another way.
 */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { GOMP_SPINCOUNT: _, OMP_NUM_THREADS: __, ...env } = process.env;
  return env;
}
