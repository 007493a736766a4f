/* Stands for a static grantd: says what ./package asks a program for. */
#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
    if (count > 2 && strcmp(words[1], "manual") == 0) {
        char path[4096];
        snprintf(path, sizeof path, "%s/grantd.1", words[2]);
        FILE *page = fopen(path, "w");
        return page == NULL || fclose(page) != 0;
    }
    return puts("grantd 0.0.0") < 0;
}
