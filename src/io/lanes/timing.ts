/** When a stage starts, as a lane thread sees it. Filled in when the stage is started; lanes are made before. */
export interface Timing {
  /** This thread's clock (`performance.now()`) when the stage starts, ms. */
  startAt: number
  /** Adds up to the engine's clock. */
  toEngineClock: number
}
