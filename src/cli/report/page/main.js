/** A report that holds its own data. */

import { createPage } from './page.js'

const data = document.getElementById('data')?.textContent
if (data !== null && data !== undefined) createPage(document.body).render(JSON.parse(data))
