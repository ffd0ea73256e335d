#include <stdio.h>
#include <string.h>

#include "cli/manual.h"
#include "cli/output.h"

/* What completes an option's value: its choices, else files. */
static void print_values(const option *o)
{
    int files = o->kind == OPTION_TEXT && (strstr(o->value_name, "FILE") || strstr(o->value_name, "PATH"));
    if (o->kind == OPTION_FLAG || (files && !o->choices))
        return;
    printf("        --%s) %swords=\"", o->name, files ? "" : "only=1 ");
    for (int i = 0; o->choices && o->choices[i]; i++)
        printf("%s%s", i ? " " : "", o->choices[i]);
    fputs("\" ;;\n", stdout);
}

void completion_of_command(const catdog_command *command, const option *options)
{
    printf("    %s)\n        options=\"", command->name);
    for (const option *o = options; o->name; o++)
        printf("--%s ", o->name);
    fputs("--help\"\n        flags=\"", stdout);
    for (const option *o = options; o->name; o++)
        if (o->kind == OPTION_FLAG)
            printf("--%s ", o->name);
    fputs("--help\"\n        case $previous in\n", stdout);
    for (const option *o = options; o->name; o++)
        print_values(o);
    fputs("        esac\n        ;;\n", stdout);
}

static const char beginning[] =
    "# bash completion of catdog; made from its tables of options\n"
    "_catdog()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}\n"
    "    local options='' flags='' words='' only=''\n"
    "    [[ $current == '=' ]] && current=''\n"
    "    [[ $previous == '=' ]] && previous=${COMP_WORDS[COMP_CWORD - 2]}\n";

/* After tune's -- come options of train. */
static const char middle[] =
    "    [[ $command == tune && \" ${COMP_WORDS[*]:2:COMP_CWORD-2} \" == *' -- '* ]] && command=train\n"
    "    case $command in\n";

static const char end[] =
    "    esac\n"
    "    if [[ $previous == --?* && $options && \" $flags \" != *\" $previous \"* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
    "        [[ $only ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
    "        [[ $current == -* ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
    "    fi\n"
    "    [[ ${#COMPREPLY[@]} == 1 && -d ${COMPREPLY[0]} ]] && { COMPREPLY[0]+=/; compopt -o nospace 2>/dev/null; }\n"
    "    return 0\n"
    "}\n"
    "complete -o filenames -F _catdog catdog\n";

int completion_of_program(const catdog_command *const *commands)
{
    fputs(beginning, stdout);
    fputs("    if ((COMP_CWORD == 1)); then\n        mapfile -t COMPREPLY < <(compgen -W '", stdout);
    for (size_t i = 0; commands[i]; i++)
        printf("%s ", commands[i]->name);
    fputs("--help --version' -- \"$current\")\n        return 0\n    fi\n", stdout);
    fputs(middle, stdout);
    for (; *commands; commands++) {
        char help[] = "--help=bash";
        char *words[] = { NULL, help, NULL };
        if ((*commands)->run(*commands, 2, words) != EXIT_DONE)
            return EXIT_FAILED;
    }
    fputs(end, stdout);
    return output_finish();
}
