/** All lies that are told to copies of the core. */

import { liesOfAgreement } from './lies-of-agreement.ts'
import { liesOfPlans } from './lies-of-plans.ts'
import type { Mutation } from './mutation.ts'

export const mutations: readonly Mutation[] = [...liesOfAgreement, ...liesOfPlans]
