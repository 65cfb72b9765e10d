export const fish = (ask: string) => `# Completion of lyceum for fish.
function __lyceum_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in (${ask} $words[2..-1] "$typed" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$typed"
            case :folders
                __fish_complete_directories "$typed" ''
            case '*'
                echo $line
        end
    end
end
complete -c lyceum -f -a '(__lyceum_complete)'
`;
