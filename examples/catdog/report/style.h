/* How the report's page looks. */
#ifndef CATDOG_REPORT_STYLE_H
#define CATDOG_REPORT_STYLE_H

extern const char page_style[]; /* CSS */

#endif
