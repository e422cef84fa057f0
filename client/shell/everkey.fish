# Completion for everkey in fish. everkey itself says what can come next; for a link to it:
#   complete -c NAME -w everkey
function __everkey_complete
    set -l typed (commandline -ct)
    set -l answer (command everkey completions fish -- (commandline -opc) "$typed" 2>/dev/null)
    set -l before (string match -r -- '^--[^=]*=' "$typed")
    set -l value (string replace -r -- '^--[^=]*=' '' "$typed")
    switch "$answer[1]"
        case files
            for path in (__fish_complete_path "$value")
                echo "$before$path"
            end
        case folders
            for path in (__fish_complete_directories "$value" '')
                echo "$before$path"
            end
        case '*'
            printf '%s\n' $answer[2..-1]
    end
end
complete -c everkey -f -a '(__everkey_complete)'
